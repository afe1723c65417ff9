#!/usr/bin/env bash
# Runs every fuzz target of the module in turn for the given time. What is found stays
# in Go's cache, so that runs add up.
source "$(dirname "$0")/lib.sh"

time=$1
log=$(mktemp)
table=$(mktemp)
trap 'rm -f "$log" "$table"' EXIT
failures=0

# targets: "PACKAGE FUNCTION" a line.
targets() {
	grep -rHoE --include='*_test.go' --exclude-dir=bench --exclude-dir=record '^func Fuzz[A-Za-z0-9]+' . |
		grep -v openssl | sed -E 's|^(.*)/[^/]*:func |\1 |' | sort -u
}

while read -r package function; do
	step "$function"
	result=ok
	go test "$package" -run '^$' -fuzz "^$function\$" -fuzztime "$time" -fuzzminimizetime 10x ${FUZZPARALLEL:+-parallel "$FUZZPARALLEL"} >"$log" 2>&1 || {
		# A busy machine makes go test end in this way when the time is up
		# (golang/go issue 75804, mended in Go 1.27); no input failed.
		if grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; then
			result=ok
		else
			result=FAILED
			failures=$((failures + 1))
			cat "$log"
		fi
	}
	grep -E '^fuzz: elapsed: .*execs' "$log" | tail -1 |
		sed -E 's/.*execs: ([0-9]+).*new interesting: ([0-9]+) \(total: ([0-9]+)\)/\1 \2 \3/' |
		{ read -r execs new total || true; printf '%-24s %12s %10s %10s  %s\n' "$function" "${execs:-0}" "${new:-0}" "${total:-0}" "$result"; } >>"$table"
done < <(targets)

echo
printf '%-24s %12s %10s %10s  %s\n' target executions "new inputs" inputs result
cat "$table"
echo "$failures failures. An input is kept when it reaches what no other does: new inputs are new coverage."
[ "$failures" = 0 ]
