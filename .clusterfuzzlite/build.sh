#!/bin/bash -eu
# Builds the fuzz targets with their seeds, for ClusterFuzzLite and OSS-Fuzz alike: all,
# or those in FUZZTARGETS. make fuzz-libfuzzer runs it without their container.

go run ./fuzz/seeds export zip "$OUT"
targets=${FUZZTARGETS:-$(go run ./fuzz/seeds list)}

# The builder has to be made by a Go that is new enough for the module, which that of the
# image may not be. It wants its testing package among the requirements.
builder=github.com/AdamKorcz/go-118-fuzz-build
version=v0.0.0-20250520111509-a70c2aa677fa
GOTOOLCHAIN=$(go env GOVERSION)
export GOTOOLCHAIN
GOBIN=$(mktemp -d)
export GOBIN PATH=$GOBIN:$PATH
go install "$builder@$version"
printf '//go:build gofuzz_libfuzzer\n\npackage fuzz\n\nimport _ "%s/testing"\n' "$builder" >fuzz/builder.go
go get "$builder/testing@$version"
go mod tidy

# Package net needs libresolv, which stands before the archive that calls for it.
export CXXFLAGS="$CXXFLAGS -Wl,--no-as-needed -lresolv"
for function in $targets; do
	compile_native_go_fuzzer github.com/tlsflags/tlsflags/fuzz "$function" "$function"
	# It says what it cannot find, and then succeeds.
	[ -x "$OUT/$function" ]
done
