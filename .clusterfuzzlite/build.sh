#!/bin/bash -eu
# Builds the fuzz targets with their seeds, for ClusterFuzzLite and OSS-Fuzz alike.
# make test-seeds runs it without their container and without a compiler.

go run ./fuzz/seeds export zip "$OUT"

# Package net needs libresolv, which comes before the archive that calls for it.
export CXXFLAGS="$CXXFLAGS -Wl,--no-as-needed -lresolv"
go run ./fuzz/seeds list | while read -r folder function; do
	(cd "$folder" && compile_native_go_fuzzer_v2 "$(go list)" "$function" "$function")
	# It succeeds even if it finds no such function.
	[ -x "$OUT/$function" ]
done
