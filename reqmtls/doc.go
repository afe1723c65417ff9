// Package reqmtls makes servers of crypto/tls honour the TLS flag request_mtls, also
// called request_client_auth (draft-jhoyla-req-mtls-flag): a client that sets it in its
// ClientHello has a certificate and wants to be asked for it. The server asks those
// clients and nobody else, so that bots authenticate with certificates while people
// are never prompted for one.
//
//	mtls, err := reqmtls.New(config, reqmtls.Config{Policy: reqmtls.Policy{ClientCAs: bots}})
//
// gives a [Server] that works with anything that takes a net.Listener and a *tls.Config.
// With package http it takes two lines:
//
//	server.TLSConfig = mtls.TLSConfig()
//	server.ServeTLS(mtls.Listener(listener), "", "")
//
// and one more, server.ConnContext = reqmtls.ConnContext, where handlers shall learn
// with [FromContext] what the client said. tls.Server by hand takes mtls.Wrap(conn) and
// mtls.TLSConfig(). gRPC takes credentials.NewTLS(mtls.TLSConfig()) and the listener.
//
// # How it works
//
// crypto/tls shows a server which extensions a ClientHello has, but not what is in
// them. So the listener reads along under TLS: it passes every call on as it is, makes
// none of its own, and looks at what was read until the ClientHello is whole. The
// buffer, of [Config].Limit bytes, is taken from a pool with the first byte and given
// back before the answer is made. GetConfigForClient then picks the config.
//
// The first ClientHello decides. A second one, after a HelloRetryRequest, may not
// differ in this extension (RFC 9846, Section 4.2.2) and is not looked at.
//
// # Who is asked
//
// A client that sets the flag, in a well-formed TLS Flags extension, and speaks TLS 1.3
// with the server: the extension is defined for no earlier version. Everybody else
// gets the base config: clients without the flag; whose ClientHello is malformed, does
// not fit the limit, or was not recorded; and those of server names with [Ignore]. A
// malformed TLS Flags extension has no flag, or with [Config].RefuseMalformed ends the
// handshake.
//
// Encrypted Client Hello is supported as far as crypto/tls supports it: where the
// server accepts it, the flags of the inner ClientHello count and those of the outer
// one do not; where it rejects it, those of the outer one do. Clients should set the
// flag in the inner one, as it tells an observer who they are.
//
// # What crypto/tls cannot do
//
// It cannot put the flag into the CertificateRequest, by which newer texts of the draft
// acknowledge it (those up to -02 do not). A client that insists on that sees a server
// that asks for reasons of its own. And a QUIC server has no listener to wrap: its
// clients get the base config, and [Config].Observe sees them as [Unrecorded]. A server
// that terminates TLS elsewhere cannot use this package.
//
// # Security
//
// The flag is a hint, and proves nothing. It is sent in the clear, by anybody, and may
// get a client no more than the question. Decide by the certificate alone: by
// tls.ConnectionState.VerifiedChains, or in mode [Request] by a verification of your
// own, and never by [Hello].Flagged.
//
// Trust anchors: VerifiedChains of a flagged client lead to [Policy].ClientCAs. If the
// base config verifies certificates of others against other authorities, code that only
// asks whether there is a chain cannot tell the two kinds of clients apart; look at
// the chain's root, or at [Hello].Applied. A base config that demands a certificate is
// never weakened: New refuses it, and one that GetConfigForClient returns is left as
// it is, flag or not.
//
// Resumption: a resumed session carries the certificate of the first handshake, and the
// client is not asked again (RFC 9846, Section 4.4.2) for up to seven days. So a session
// is resumed only under the policy that it was made under and only if it has a
// certificate; a client that connects first without the flag and then with it is asked.
// Revocation during that time is yours to check, in VerifyConnection, which runs on
// resumption, too. [Policy].NoTickets turns resumption off for flagged clients.
// Share and rotate ticket keys with [Server.SetSessionTicketKeys]: the method of
// tls.Config of the same name does not reach the policies, whose keys stay random.
//
// Server names: a policy goes by the server_name of the handshake. HTTP requests on the
// connection may name another host, as HTTP/2 clients do on purpose; a server with
// [Config].Names must refuse requests whose host is not their TLS.ServerName, with
// status 421 (RFC 9110, Section 15.5.20).
//
// Privacy: the flag is sent in the clear. Certificates are not, as the flag counts in
// TLS 1.3 only; [Policy].AskEverybody asks clients of TLS 1.2, too.
package reqmtls
