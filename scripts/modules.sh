#!/usr/bin/env bash
# Runs the tests of every module but the root one, with the given arguments of go test.
# make test-beam has those of integrations/beam, which takes minutes to compile.
source "$(dirname "$0")/lib.sh"

for dir in $(modules); do
	[ "$dir" != "$PWD" ] && [ "$dir" != "$PWD/integrations/beam" ] || continue
	step "go test in ${dir#"$PWD"/}"
	(cd "$dir" && go test "$@" ./...)
done
