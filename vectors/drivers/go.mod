// The drivers put the vectors to other implementations, which are no requirement of the
// module that has the vectors.
module github.com/tlsflags/tlsflags/vectors/drivers

go 1.26.0

require (
	github.com/pion/dtls/v3 v3.1.15
	github.com/quic-go/quic-go v0.65.0
	github.com/tlsflags/tlsflags v0.1.0
)

require (
	github.com/pion/logging v0.2.4 // indirect
	github.com/pion/transport/v5 v5.0.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
