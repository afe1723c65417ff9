#!/usr/bin/env bash
# Sends tricks to real receivers, and compares what they read with tlsflags inspect; the
# arguments are those of tools/evade.
source "$(dirname "$0")/lib.sh"

[ -w /dev/net/tun ] || skip "what receivers read" "no /dev/net/tun"
command -v ip >/dev/null || skip "what receivers read" "no ip (Debian: iproute2)"
unshare -n true 2>/dev/null || unshare -Urn true 2>/dev/null ||
	skip "what receivers read" "no network namespaces"

step "tricks against real receivers"
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
go build -o "$dir/tlsflags" ./cmd/tlsflags
go build -o "$dir/evade" ./tools/evade
"$dir/evade" -command "$dir/tlsflags" "$@"
