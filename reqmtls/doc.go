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
// Set server.ConnContext = reqmtls.ConnContext as well if handlers need to know what the
// client said; [FromContext] tells them. With crypto/tls alone, pass mtls.Wrap(conn) and
// mtls.TLSConfig() to tls.Server. With gRPC, use credentials.NewTLS(mtls.TLSConfig()) and
// serve on mtls.Listener(listener).
//
// # How it works
//
// crypto/tls tells a server which extensions a ClientHello has, but not what is in them.
// So the listener reads along beneath TLS: it passes every call on unchanged, makes none
// of its own, and looks at what was read until the ClientHello is complete. (The one
// exception is the alert of [Config].RefuseMalformed, which the connection writes
// itself.) The buffer, of [Config].Limit bytes, is taken from a pool with the first byte
// and given back before the server answers. GetConfigForClient then picks the config.
//
// The first ClientHello decides. A second one, after a HelloRetryRequest, may not
// differ in this extension (RFC 9846, Section 4.2.2) and is not looked at.
//
// # Who is asked
//
// A client is asked if it sets the flag, in a well-formed TLS Flags extension, and
// negotiates TLS 1.3: the extension is defined for no earlier version. Everybody else
// gets the base config: clients without the flag, clients whose ClientHello is malformed,
// longer than the limit or was not recorded, and clients that ask for a server name
// whose mode is [Ignore]. A flag in a malformed TLS Flags extension does not count; with
// [Config].RefuseMalformed such an extension ends the handshake.
//
// Encrypted Client Hello is supported as far as crypto/tls supports it. Where the server
// accepts it, the flags of the inner ClientHello count and those of the outer one do
// not; where it rejects it, those of the outer one do. Clients should set the flag in the
// inner one, because it tells an observer what they are.
//
// # What crypto/tls cannot do
//
// It cannot put the flag into the CertificateRequest. The newest text of the draft, the
// editors' copy after -02, requires that of a server that honours the flag; to a client
// that insists on it, this server seems to ask for reasons of its own. -00 to -02 only
// have the server ask, so those are the texts that it implements (Text02 in package
// decide). Therefore mode [Require] ends the handshake with the alert that their
// Section 4 names, bad_certificate, and not with certificate_required (RFC 9846, Section
// 4.5.1.3), which is the newest text's. Where [Policy].AskEverybody asks a client that
// did not set the flag, the alert is bad_certificate too: crypto/tls sends no other when
// VerifyConnection fails.
//
// A QUIC server has no listener to wrap: its clients get the base config, and
// [Config].Observe reports them as [Unrecorded]. A server behind something else that
// terminates TLS cannot use this package.
//
// # Security
//
// The flag is a hint and proves nothing. Anybody can send it, and it is sent in the
// clear. It must get a client no more than the question. Decide by the certificate
// alone: by tls.ConnectionState.VerifiedChains, or in mode [Request] by a verification
// of your own, and never by [Hello].Flagged.
//
// Trust anchors: VerifiedChains of a flagged client lead to [Policy].ClientCAs. If the
// base config verifies certificates of others against other authorities, code that only
// asks whether there is a chain cannot tell the two kinds of clients apart; look at
// the root of the chain, or at [Hello].Applied. A base config that demands a certificate
// is never weakened: New refuses it, and one that GetConfigForClient returns is left as
// it is, flag or not.
//
// Resumption: a resumed session carries the certificate of the first handshake, and the
// client is not asked again (RFC 9846, Section 4.4.2) for up to seven days. So a session
// is resumed only under the policy that it was made under, and only if it has a
// certificate; a client that connects first without the flag and then with it is asked.
// Checking for revocation during that time is up to you: do it in VerifyConnection, which
// is called on resumption too. [Policy].NoTickets turns resumption off for flagged
// clients. Share and rotate ticket keys with [Server.SetSessionTicketKeys]: the method
// of tls.Config of the same name does not reach the policies, whose keys stay random.
//
// WrapSession and UnwrapSession of the base config, or of the one that its
// GetConfigForClient returns, are called for sessions of the policies too; set them before
// New. Set both or none: where one is missing, the keys of the policy do its half, which the
// other one has no access to, so that sessions of flagged clients are not resumed at all.
//
// Server names: a policy goes by the server_name of the handshake. HTTP requests on the
// connection may name another host, as HTTP/2 clients do on purpose; a server with
// [Config].Names must refuse requests whose host is not their TLS.ServerName, with
// status 421 (RFC 9110, Section 15.5.20).
//
// Privacy: the flag is sent in the clear. Certificates are not, because the flag counts
// in TLS 1.3 only; but [Policy].AskEverybody also asks clients that speak TLS 1.2.
package reqmtls
