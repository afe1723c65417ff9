#!/usr/bin/env bash
# Captures 8,000 flows at 200 and 500 Mbit/s between two network namespaces with tlsflags, and
# with the tlsflags of a commit before live captures had a ring, if that builds in five minutes.
source "$(dirname "$0")/lib.sh"

base=577b794
flows=8000

[ "$(id -u)" = 0 ] || skip "live capture at line rate" "needs root, for network namespaces"
command -v ip >/dev/null || skip "live capture at line rate" "no ip (Debian: iproute2)"
command -v tcpreplay >/dev/null || skip "live capture at line rate" "no tcpreplay (Debian: tcpreplay)"
ip netns add "tlsflags-receive-$$" 2>/dev/null || skip "live capture at line rate" "no network namespaces"

step "live capture at line rate"
dir=$(mktemp -d)
trap 'ip netns del "tlsflags-receive-$$"; ip netns del "tlsflags-send-$$"; rm -r "$dir"' EXIT
ip netns add "tlsflags-send-$$"
ip -n "tlsflags-receive-$$" link add veth0 type veth peer name veth1 netns "tlsflags-send-$$"
ip -n "tlsflags-receive-$$" link set veth0 up
ip -n "tlsflags-send-$$" link set veth1 up

go build -o "$dir/tlsflags" ./cmd/tlsflags
go -C bench build -o "$dir" ./liverate ./shapes
"$dir/shapes" bulk "$flows" "$dir/bulk.pcap"
mkdir "$dir/source"
if git archive "$base" 2>/dev/null | tar -x -C "$dir/source" &&
	timeout 300 go -C "$dir/source/cmd/tlsflags" build -o "$dir/base" . 2>"$dir/errors"; then
	programs=("$dir/tlsflags" "$dir/base")
else
	echo "without commit $base, which cannot be built here"
	programs=("$dir/tlsflags")
fi
ip netns exec "tlsflags-receive-$$" "$dir/liverate" "tlsflags-send-$$" "$flows" "$dir/bulk.pcap" "${programs[@]}"
