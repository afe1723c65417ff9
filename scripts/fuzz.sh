#!/usr/bin/env bash
# Runs every fuzz target in turn for the given time. What is found stays
# in Go's cache, so that runs add up.
source "$(dirname "$0")/lib.sh"

time=$1
log=$(mktemp)
table=$(mktemp)
trap 'rm -f "$log" "$table"' EXIT
failures=0

while read -r folder function; do
	step "$function"
	result=ok
	go_fuzz "$log" "$function" "$time" -C "$folder" . || {
		result=FAILED
		failures=$((failures + 1))
		cat "$log"
	}
	[ "$result" != ok ] || grep -q 'execs:' "$log" || result="seeds only: give it more time"
	sed -nE 's/^fuzz: elapsed: .*execs: ([0-9]+).*new interesting: ([0-9]+) \(total: ([0-9]+)\).*/\1 \2 \3/p' "$log" | tail -1 |
		{ read -r execs new total || true; printf '%-24s %12s %10s %10s  %s\n' "$function" "${execs:-0}" "${new:-0}" "${total:-0}" "$result"; } >>"$table"
done < <(go run ./fuzz/seeds list)

echo
printf '%-24s %12s %10s %10s  %s\n' target executions "new inputs" inputs result
cat "$table"
echo "$failures failures. An input is kept when it reaches what no other does: new inputs are new coverage."
[ "$failures" = 0 ]
