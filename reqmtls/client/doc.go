// Package client connects to servers as a client that sets the flag request_mtls in its
// ClientHello: it has a certificate and wants to be asked for it. It is made for bots and
// crawlers, and never prompts anybody.
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
// the newest text of draft-jhoyla-req-mtls-flag requires. No TLS library has an API for
// the extensions of a CertificateRequest, so this package decrypts that message itself.
//
// crypto/tls cannot send an extension that it does not know, so connections are made with
// uTLS, a fork of it. The ClientHello is like that of crypto/tls or, on request, like that
// of a browser. Encrypted Client Hello is not used, so everybody on the way can see the
// flag, and with it that the client is a bot with a certificate.
//
// If the CertificateRequest acknowledges request_mtls although the client did not set it,
// or has a malformed TLS Flags extension, the client ends the handshake before it sends
// its certificate. It sends no alert, because uTLS has no way to send the
// illegal_parameter that the drafts require.
package client
