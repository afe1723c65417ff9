#!/usr/bin/env bash
# Counts the instructions that one TLS handshake costs a server, with and without
# package reqmtls, and fails if the difference is above 2 %.
source "$(dirname "$0")/lib.sh"

command -v valgrind >/dev/null || skip "the cost of a handshake" "no valgrind (Debian: valgrind)"

dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -r "$dir"' EXIT
go build -o "$dir/handshakes" ./bench/handshakes

# count KIND HANDSHAKES: the instructions of a server that makes so many.
count() {
	local address=$dir/address.$1.$2 out=$dir/out.$1.$2
	"$dir/handshakes" connect "$2" "$address" &
	# One thread and no collector, so that runs can be compared; no preemption,
	# as callgrind does not survive the signals.
	GOMAXPROCS=1 GOGC=off GODEBUG=asyncpreemptoff=1 valgrind --tool=callgrind --callgrind-out-file="$out" \
		"$dir/handshakes" serve "$1" "$2" "$address" 2>"$out.log" || { cat "$out.log" >&2; exit 1; }
	wait
	awk '/^(summary|totals):/ { print $2; exit }' "$out"
}

# The difference of two counts is free of what starting the program costs.
step "instructions of a handshake, counted by valgrind"
declare -A each
for kind in plain reqmtls; do
	few=$(count $kind 20)
	many=$(count $kind 220)
	each[$kind]=$(((many - few) / 200))
	echo "$kind: ${each[$kind]}"
done
awk -v with="${each[reqmtls]}" -v without="${each[plain]}" 'BEGIN {
	printf "ratio: %.4f\n", with / without
	exit with > 1.02 * without
}'
