module github.com/tlsflags/tlsflags

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/google/gofuzz v1.2.0
	golang.org/x/crypto v0.58.0
)
