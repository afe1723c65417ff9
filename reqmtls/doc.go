// Package reqmtls makes servers of crypto/tls honour the TLS flag request_mtls, also
// called request_client_auth (draft-jhoyla-req-mtls-flag): a client that sets it in its
// ClientHello has a certificate and wants to be asked for it. The server asks those
// clients and nobody else, so that bots authenticate with certificates while people
// are never prompted for one.
//
//	mtls, err := reqmtls.New(config, reqmtls.Config{ClientCAs: bots})
//	...
//	err = mtls.ServeTLS(server, listener) // server is an *http.Server
//
// [Server.ServeTLS] is for package http, [Server.NewListener] for other servers on a
// listener, [Server.NewConn] for a single connection. Servers that need a config and a
// listener, such as those of gRPC, get [Server.TLSConfig] and [Server.Listener].
//
// # Who is asked
//
// A client is asked if it sets the flag, in a well-formed TLS Flags extension, and
// negotiates TLS 1.3; the extension is defined for no earlier version. Everybody else
// gets the base config: clients without the flag, clients whose ClientHello is malformed
// or longer than [Config].Limit, and clients that ask for a server name whose mode is
// [Ignore]. The first ClientHello decides. A second one, after a HelloRetryRequest, may
// not differ in this extension (RFC 9846, Section 4.2.2). If the server accepts Encrypted
// Client Hello, the flags of the inner ClientHello count, otherwise those of the outer
// one.
//
// # Security
//
// The flag is a hint and proves nothing: anybody can send it. It must grant nothing but a
// CertificateRequest. Decide by the certificate alone: by
// tls.ConnectionState.VerifiedChains, or in mode [Request] by a verification of your own,
// and never by [Hello].Flagged.
//
// VerifiedChains of a flagged client lead to [Policy].ClientCAs. If the base config
// verifies certificates of others against other authorities, the existence of a chain
// does not tell the two kinds of clients apart: look at the root of the chain, or at
// [Hello].Applied. A config that demands a certificate is never weakened: New refuses it
// as the base config, and flagged clients get it unchanged if GetConfigForClient returns
// it.
//
// A resumed session carries the certificate of the first handshake, and the client is
// not asked again (RFC 9846, Section 4.4.2) for up to seven days. So a session is resumed
// only under the policy that it was made under, and only if it has a certificate.
// VerifyConnection is called on resumption too; check for revocation there, or set
// [Policy].NoTickets. Set WrapSession and UnwrapSession of the base config before New, and
// both or none: if only one is set, sessions of flagged clients are not resumed.
//
// A policy goes by the server_name of the handshake, but HTTP requests on the connection
// may name another host. A server with [Config].Names must refuse requests whose host is
// not their TLS.ServerName, with status 421 (RFC 9110, Section 15.5.20), as
// [RefuseMisdirected] does.
//
// The flag is sent in the clear. Certificates are not, because the flag counts in TLS 1.3
// only; but [Policy].AskAll also asks clients that speak TLS 1.2.
//
// # Mistakes
//
// New refuses settings that can have no effect, and says what to write instead. Some
// mistakes show only when clients connect: the config is used without the listener, or the
// listener without the config. [Config].Logger is told of them once. Policies with mode
// [Require] then refuse all connections; the others serve them without asking.
// docs/reqmtls.md has a table of them.
//
// # Limits
//
// crypto/tls cannot put the flag into the CertificateRequest, which the newest text of
// the draft (the editors' copy after -02) requires. -00 to -02 only have the server ask,
// so those are the texts that this package implements. Therefore mode [Require] ends the
// handshake with the alert that their Section 4 names, bad_certificate, and not with
// certificate_required.
//
// A QUIC server has no listener to wrap, so the flags of its clients are unknown. A
// policy with [Policy].AskAll asks them for a certificate; without it, mode [Require]
// refuses them, and the other modes give them the base config. [Config].Observe reports
// those refused as [Refused] and the others as [NotWrapped]. A server that does not
// terminate TLS itself cannot use this package.
package reqmtls
