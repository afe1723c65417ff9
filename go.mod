module github.com/tlsflags/tlsflags

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/google/gofuzz v1.2.0
	github.com/spf13/cobra v1.10.2
	golang.org/x/crypto v0.58.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)
