#!/usr/bin/env bash
# Measures which statements of the parsers the inputs in corpus/fuzz/ reach by
# themselves, and wants 95 %. Tables of names and texts are left out,
# and what reads no bytes.
source "$(dirname "$0")/lib.sh"

profile=$(mktemp)
trap 'rm -f "$profile"' EXIT

step "statements that the corpus reaches"
TLSFLAGS_FUZZ=corpus go test -count=1 -run '^Fuzz' -coverprofile="$profile" \
	-coverpkg="$(IFS=,; echo "${parsers[*]/#/./}")" ./fuzz >/dev/null
awk -F '[: ]' '
	NR == 1 || $1 ~ /\/(alert|client|code|messagekind|messageset|type|registry|names|[a-z]*_table)\.go$/ { next }
	{ n = split($1, part, "/"); file = part[n-1] "/" part[n]; all[file] += $3; if ($4 > 0) hit[file] += $3 }
	END {
		for (file in all) { printf "%-28s %5.1f %%\n", file, 100 * hit[file] / all[file]; a += all[file]; h += hit[file] }
		printf "%-28s %5.1f %%\n", "together", 100 * h / a
		exit h / a < 0.95
	}' "$profile" | sort
