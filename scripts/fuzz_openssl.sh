#!/usr/bin/env bash
# Compares clienthello with OpenSSL's ClientHello callback, on the seeds, on generated
# messages, and on what fuzzing for the given time comes up with.
source "$(dirname "$0")/lib.sh"

[ "$(go env CGO_ENABLED)" = 1 ] && pkg-config --exists openssl 2>/dev/null ||
	skip "comparison with OpenSSL" "cgo is off, or no pkg-config and OpenSSL headers (Debian: pkg-config, libssl-dev)"

step "against $(pkg-config --modversion openssl)"
go test -count=1 -tags openssl -run 'OpenSSL' ./fuzz
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go_fuzz "$log" FuzzOpenSSL "$1" -tags openssl ./fuzz || { cat "$log"; exit 1; }
grep 'execs:' "$log" | tail -1 || echo "seeds only: give it more time"
