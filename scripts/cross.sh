#!/usr/bin/env bash
# Type-checks the code and its tests for other platforms.
source "$(dirname "$0")/lib.sh"

check() { # PLATFORM MODULE...
	step "go vet for $1"
	for module in "${@:2}"; do
		(cd "$module" && CGO_ENABLED=0 GOOS=${1%/*} GOARCH=${1#*/} go vet ./...)
	done
}

for platform in windows/amd64 darwin/arm64 linux/386; do
	check $platform $published
done
check js/wasm . # the parsers, in browsers
