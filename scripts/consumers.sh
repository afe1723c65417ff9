#!/usr/bin/env bash
# Runs the parsers in other languages on the vectors: alone, and as the command of
# "tlsflags vectors run", where each has to check what its tests are about.
source "$(dirname "$0")/lib.sh"

consumers=$PWD/vectors/consumers
build=$(mktemp -d)
raw=$build/raw
trap 'rm -rf "$build"' EXIT
missing=()

# consumer LANGUAGE TOOL: succeeds if the tool runs. A rustup proxy without a toolchain is
# installed, but does not run.
consumer() {
	if ! "$2" --version >/dev/null 2>&1; then
		echo "skipped: $1: $2 does not run"
		missing+=("$1")
		return 1
	fi
	step "vectors in $1"
}

# run PROTOCOL COMMAND... -- ARGS...: runs COMMAND ARGS alone, then asks COMMAND --answer.
run() {
	local protocol=$1 command=()
	shift
	while [ "$1" != -- ]; do command+=("$1"); shift; done
	shift
	"${command[@]}" "$@"
	"$build/tlsflags" vectors run --strict --protocol "$protocol" --quiet -- "${command[@]}" --answer
}

go build -o "$build/tlsflags" ./cmd/tlsflags
go run ./vectors/internal/dist -raw "$raw"

if consumer python python3; then
	PYTHONDONTWRITEBYTECODE=1 run json python3 "$consumers/python/run.py" --
fi
if consumer javascript node; then
	run json node "$consumers/javascript/run.mjs" --
fi
if consumer rust rustc; then
	rustc --edition 2021 -O -D warnings -o "$build/rust" "$consumers/rust/run.rs"
	run tsv "$build/rust" -- "$raw"
fi
if consumer c "${CC:-cc}"; then
	"${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Werror -pedantic -o "$build/c" "$consumers"/c/*.c
	run tsv "$build/c" -- "$raw"
fi
if consumer java javac; then
	javac -Xlint:all,-serial -Werror -d "$build" "$consumers"/java/*.java
	run tsv java -cp "$build" Run -- "$raw"
fi

[ ${#missing[@]} = 0 ] || skip "vectors in ${missing[*]}" "no toolchain"
