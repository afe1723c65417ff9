// The benchmarks are a module of their own, so that the libraries they compare
// with are no requirement of the module that is measured.
module github.com/tlsflags/tlsflags/bench

go 1.26.0

require (
	github.com/gopacket/gopacket v1.7.7
	github.com/refraction-networking/utls v1.8.2
	github.com/tlsflags/tlsflags v0.1.0
)

require (
	github.com/andybalholm/brotli v1.0.6 // indirect
	github.com/klauspost/compress v1.17.4 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
