module github.com/tlsflags/tlsflags

go 1.26.0

