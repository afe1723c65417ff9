#!/usr/bin/env bash
# Runs the tests under the race detector.
source "$(dirname "$0")/lib.sh"

# GOFLAGS and the environment decide about cgo; the compiler must exist, too.
cc=$(go env CC)
[ "$(go env CGO_ENABLED)" = 1 ] || skip "tests under the race detector" "cgo is off"
command -v "${cc%% *}" >/dev/null || skip "tests under the race detector" "no C compiler ($cc)"

step "go test -race -short"
go test -race -short ./...
