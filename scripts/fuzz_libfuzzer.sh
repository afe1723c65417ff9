#!/usr/bin/env bash
# Builds the fuzz targets with .clusterfuzzlite/build.sh, but without the container of
# OSS-Fuzz: go-118-fuzz-build makes an archive of each, clang links that with libFuzzer
# and AddressSanitizer. Each runs for the given time on its seeds. What fails is left in
# build/crashes, without the length before it.
source "$(dirname "$0")/lib.sh"

case $1 in
*m) seconds=$((60 * ${1%m})) ;;
*) seconds=${1%s} ;;
esac
root=$PWD
crashes=$root/build/crashes

clang=$(command -v clang++ || true)
[ -n "$clang" ] && echo 'extern "C" int LLVMFuzzerTestOneInput(const char *, long) { return 0; }' |
	"$clang" -x c++ -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null ||
	skip "libFuzzer builds" "no clang++ with libFuzzer (Debian: clang, libclang-rt-14-dev)"

# The builder rewrites files and go.mod: it gets a copy.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree" "$work/out"
git ls-files -z | xargs -0 tar -c | tar -x -C "$work/tree"
export PATH=$PWD/scripts/ossfuzz:$PATH TMPDIR=$work
cd "$work/tree"

step ".clusterfuzzlite/build.sh"
export OUT=$work/out CXX=$clang CXXFLAGS="-fsanitize=address" LIB_FUZZING_ENGINE="-fsanitize=fuzzer" SANITIZER=address
bash -eu .clusterfuzzlite/build.sh

failed=0
for function in ${FUZZTARGETS:-$(go run ./fuzz/seeds list | cut -d ' ' -f 2)}; do
	step "$function"
	python3 -m zipfile -e "$OUT/${function}_seed_corpus.zip" "$work/seeds"
	if "$OUT/$function" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -artifact_prefix="$work/" -print_final_stats=1 \
		"$work/seeds" >"$work/log" 2>&1; then
		grep -E 'stat::(number_of_executed_units|new_units_added)|INITED' "$work/log" | tr '\n' ' '
		echo
	else
		cat "$work/log"
		failed=1
		mkdir -p "$crashes/$function"
		for file in "$work"/crash-* "$work"/oom-* "$work"/timeout-*; do
			[ -e "$file" ] || continue
			tail -c +5 "$file" >"$crashes/$function/${file##*/}"
			rm "$file"
			echo "failing input: ${crashes#"$root"/}/$function/${file##*/}"
		done
	fi
	rm -rf "$work/seeds"
done
exit $failed
