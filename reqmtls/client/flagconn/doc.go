// Package flagconn makes TLS connections whose ClientHello has extensions of the caller's
// choice, such as TLS Flags, and reports whether the server asked for a certificate and
// with which extensions. It is what package client and the command's probe are built on;
// to fetch pages with a certificate, use package client.
//
// crypto/tls cannot send an extension that it does not know, so the connections are made
// with uTLS, a fork of it. No type of uTLS is part of this API. Servers are verified as
// crypto/tls does it. Sessions are not resumed and Encrypted Client Hello is not used.
package flagconn
