#!/usr/bin/env bash
# Type-checks the code and its tests for other platforms.
source "$(dirname "$0")/lib.sh"

for platform in windows/amd64 darwin/arm64 linux/386 js/wasm; do
	step "go vet for $platform"
	for module in $published; do
		(cd "$module" && CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go vet ./...)
	done
done
