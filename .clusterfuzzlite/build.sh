#!/bin/bash -eu
# Builds all fuzz targets with their seeds, for ClusterFuzzLite and OSS-Fuzz alike.
# make fuzz-libfuzzer does the same without their container.

go run ./fuzz/seeds list >/tmp/functions
go run ./fuzz/seeds export zip "$OUT"
# The builder wants its testing package among the requirements.
printf '//go:build gofuzz_libfuzzer\n\npackage fuzz\n\nimport _ "github.com/AdamKorcz/go-118-fuzz-build/testing"\n' >fuzz/builder.go
go get github.com/AdamKorcz/go-118-fuzz-build/testing@v0.0.0-20250520111509-a70c2aa677fa
go mod tidy
while read -r function; do
	compile_native_go_fuzzer github.com/tlsflags/tlsflags/fuzz "$function" "$function"
done </tmp/functions
