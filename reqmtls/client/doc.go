// Package client connects to servers and sets the flag request_mtls in its ClientHello,
// which says that it has a certificate and asks the server to request it. It is made for
// bots and crawlers.
//
//	c, err := client.New(client.Config{TLS: &tls.Config{
//		Certificates: []tls.Certificate{cert},
//	}})
//	...
//	web := &http.Client{Transport: c.Transport()}
//	resp, err := web.Get("https://example.com/")
//
// [Client.Transport] speaks HTTP/1.1 and HTTP/2. [Client.Dial] and [Client.Handshake] make
// TLS connections for other protocols. Servers are verified as crypto/tls does it. A
// [Report] says whether the server asked for a certificate, and whether it acknowledged
// the flag, as the newest text of draft-jhoyla-req-mtls-flag requires.
//
// crypto/tls cannot send an extension that it does not know, so the connections are made
// with uTLS, a fork of it. The ClientHello is like that of crypto/tls, or like that of a
// browser if [Config] has a [Fingerprint]. Encrypted Client Hello is not used, so anybody
// on the path can see the flag, and therefore that the client has a certificate.
//
// The client ends the handshake before it sends its certificate if the CertificateRequest
// acknowledges request_mtls and the client did not set it, or if it has a malformed TLS
// Flags extension. It sends no alert, because uTLS cannot send the illegal_parameter that
// the drafts require.
package client
