#!/usr/bin/env bash
# Builds the fuzz targets without the container of OSS-Fuzz: go-118-fuzz-build, in the
# version that needs no change of the standard library, makes an archive of each, clang
# links that with libFuzzer and AddressSanitizer. Each runs for the given time on its seeds.
# What fails is left in build/crashes, without the length before it.
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
export TMPDIR=$work
cd "$work/tree"

step "building"
go run ./fuzz/seeds export libfuzzer "$work/seeds" >/dev/null
list=$(go run ./fuzz/seeds list)

# The builder wants its testing package among the requirements.
builder=github.com/AdamKorcz/go-118-fuzz-build
version=v0.0.0-20250520111509-a70c2aa677fa
GOBIN=$work go install "$builder@$version"

# go mod tidy does not look at go.work: its modules replace each other in go.mod instead.
replace=$(go list -m -f '-replace={{.Path}}={{.Dir}}')
for module in $(modules); do
	go mod edit $replace "$module/go.mod"
done
export GOWORK=off

# The builder takes fuzz_test.go into the package, and no other test.
for folder in $(cut -d ' ' -f 1 <<<"$list" | sort -u); do
	files=("$folder"/fuzz_*_test.go)
	[ "$folder" = ./fuzz ] && files=("$folder"/*_test.go)
	for file in "${files[@]}"; do
		[ "${file##*/}" = fuzz_test.go ] || mv "$file" "${file%_test.go}_fuzzed.go"
	done
	package=$(go -C "$folder" list -f '{{.Name}}')
	printf '//go:build gofuzz_libfuzzer\n\npackage %s\n\nimport _ "%s/testing"\n' "$package" "$builder" >"$folder/builder.go"
	(cd "$folder" && go get "$builder/testing@$version" && go mod tidy)
done

# build FOLDER FUNCTION: makes the program. Package net needs libresolv, which comes before
# the archive that calls for it.
build() {
	(cd "$1" && "$work/go-118-fuzz-build" -tags gofuzz -o "$work/$2.a" -func "$2" .)
	"$clang" -fsanitize=fuzzer,address -Wl,--no-as-needed -lresolv "$work/$2.a" -o "$work/out/$2"
	rm "$work/$2.a"
}

failed=0
while read -r folder function; do
	[[ " ${FUZZTARGETS:-$function} " = *" $function "* ]] || continue
	step "$function"
	build "$folder" "$function"
	if "$work/out/$function" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -artifact_prefix="$work/" -print_final_stats=1 \
		"$work/seeds/$function" >"$work/log" 2>&1; then
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
done <<<"$list"
exit $failed
