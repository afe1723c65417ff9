// Package client connects to servers as a client that says, with the flag request_mtls
// in its ClientHello, that it has a certificate and wants to be asked for it. Bots and
// crawlers are who it is for; nobody is ever prompted.
//
//	c, err := client.New(client.Config{TLS: &tls.Config{
//		Certificates: []tls.Certificate{cert},
//	}})
//	...
//	web := &http.Client{Transport: c.Transport()}
//	resp, err := web.Get("https://example.com/")
//
// [Client.Transport] speaks HTTP/1.1 and HTTP/2; [Client.Dial] and [Client.Handshake] make
// bare TLS connections. Servers are verified as crypto/tls does it. A [Report] tells
// whether the server asked for a certificate, and whether it acknowledged the flag, as
// the newest text of draft-jhoyla-req-mtls-flag wants: no API of a TLS library shows the
// extensions of a CertificateRequest, so it is decrypted from what came in.
//
// crypto/tls cannot send an extension that it does not know. So connections are made by
// uTLS, a fork of it; its ClientHello here is like that of crypto/tls, or like that of a
// browser on request. The flag tells everybody on the way that the client is a bot
// with a certificate, as Encrypted Client Hello is not used.
//
// The client ends the handshake, before it sends its certificate, where the
// CertificateRequest acknowledges a flag that was not sent or carries a malformed TLS
// Flags extension. uTLS sends no alert then, where the drafts ask for illegal_parameter.
package client
