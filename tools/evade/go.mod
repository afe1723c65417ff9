// The harness that sends tricks to real receivers; a module of its own, because nobody
// who uses the project needs it.
module github.com/tlsflags/tlsflags/tools/evade

go 1.26.0

require github.com/quic-go/quic-go v0.65.0

require (
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/net v0.56.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
