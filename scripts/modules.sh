#!/usr/bin/env bash
# Runs the tests of every module but the root one, with the given arguments of go test.
source "$(dirname "$0")/lib.sh"

for dir in $(modules); do
	[ "$dir" != "$PWD" ] || continue
	step "go test in ${dir#"$PWD"/}"
	(cd "$dir" && go test "$@" ./...)
done
