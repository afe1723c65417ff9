module github.com/tlsflags/tlsflags

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/google/gofuzz v1.2.0
	github.com/gopacket/gopacket v1.7.7
	github.com/refraction-networking/utls v1.8.2
	github.com/tlsflags/tlsflags/reqmtls/client v0.1.0
	golang.org/x/crypto v0.58.0
)

require (
	github.com/andybalholm/brotli v1.0.6 // indirect
	github.com/klauspost/compress v1.17.4 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
