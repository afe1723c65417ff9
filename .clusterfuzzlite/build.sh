#!/bin/bash -eu
# Builds the fuzz targets with their seeds, for ClusterFuzzLite and OSS-Fuzz alike: all,
# or those in FUZZTARGETS. make fuzz-libfuzzer runs it without their container.

go run ./fuzz/seeds export zip "$OUT"
list=$(go run ./fuzz/seeds list)

# The builder has to be made by a Go that is new enough for the module, which that of the
# image may not be. It wants its testing package among the requirements.
builder=github.com/AdamKorcz/go-118-fuzz-build
version=v0.0.0-20250520111509-a70c2aa677fa
GOTOOLCHAIN=$(go env GOVERSION)
export GOTOOLCHAIN
GOBIN=$(mktemp -d)
export GOBIN PATH=$GOBIN:$PATH
go install "$builder@$version"

# The builder takes fuzz_test.go into the package, and no other test.
for folder in $(cut -d ' ' -f 1 <<<"$list" | sort -u); do
	files=("$folder"/fuzz_*_test.go)
	[ "$folder" = ./fuzz ] && files=("$folder"/*_test.go)
	for file in "${files[@]}"; do
		[ "${file##*/}" = fuzz_test.go ] || mv "$file" "${file%_test.go}_fuzzed.go"
	done
	package=$(go -C "$folder" list -f '{{.Name}}')
	printf '//go:build gofuzz_libfuzzer\n\npackage %s\n\nimport _ "%s/testing"\n' "$package" "$builder" >"$folder/builder.go"
	(cd "$folder" && go get "$builder/testing@$version" && go mod tidy)
done

# Package net needs libresolv, which is before the archive that calls for it.
export CXXFLAGS="$CXXFLAGS -Wl,--no-as-needed -lresolv"
while read -r folder function; do
	[[ " ${FUZZTARGETS:-$function} " = *" $function "* ]] || continue
	compile_native_go_fuzzer "$(go -C "$folder" list)" "$function" "$function"
	# It says what it cannot find, and then succeeds.
	[ -x "$OUT/$function" ]
done <<<"$list"
