#!/usr/bin/env bash
# Runs the tests under the race detector.
source "$(dirname "$0")/lib.sh"

# The go command turns cgo off by itself if it finds no C compiler.
[ "$(go env CGO_ENABLED)" = 1 ] ||
	skip "tests under the race detector" "cgo is off or there is no C compiler"

step "go test -race -short"
go test -race -short ./...
