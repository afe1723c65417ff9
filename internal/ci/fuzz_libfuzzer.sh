#!/usr/bin/env bash
# Builds every fuzz target as OSS-Fuzz does, but without Docker: go-118-fuzz-build makes
# an archive of it, clang links that with libFuzzer. Each runs for the given number of
# seconds on the exported seeds.
source "$(dirname "$0")/lib.sh"

seconds=${1%s}
builder=github.com/AdamKorcz/go-118-fuzz-build
version=v0.0.0-20250520111509-a70c2aa677fa

clang=$(command -v clang || true)
[ -n "$clang" ] && echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return 0; }' |
	"$clang" -x c -fsanitize=fuzzer -o /dev/null - 2>/dev/null ||
	skip "libFuzzer builds" "no clang with libFuzzer (Debian: clang, libclang-rt-14-dev)"

# The builder rewrites files and go.mod: it gets a copy.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree" "$work/bin"
git ls-files -z | xargs -0 tar -c | tar -x -C "$work/tree"
cd "$work/tree"
GOBIN=$work/bin go install "$builder@$version"
printf '//go:build gofuzz_libfuzzer\n\npackage fuzz\n\nimport _ "%s/testing"\n' "$builder" >fuzz/builder.go
go get "$builder@$version" 2>/dev/null
go mod tidy
go run ./fuzz/seeds export libfuzzer "$work/seeds" >/dev/null

failed=0
for function in $(go run ./fuzz/seeds list); do
	[[ -z ${FUZZTARGETS:-} || " $FUZZTARGETS " == *" $function "* ]] || continue
	step "$function"
	"$work/bin/go-118-fuzz-build" -o "$work/$function.a" -func "$function" ./fuzz
	"$clang" -fsanitize=fuzzer -o "$work/$function" "$work/$function.a" -lresolv
	if "$work/$function" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -artifact_prefix="$work/" -print_final_stats=1 \
		"$work/seeds/$function" >"$work/log" 2>&1; then
		grep -E 'stat::(number_of_executed_units|new_units_added)|INITED' "$work/log" | tr '\n' ' '
		echo
	else
		tail -40 "$work/log"
		failed=1
	fi
	rm -f "$work/$function.a" "$work/$function"
done
exit $failed
