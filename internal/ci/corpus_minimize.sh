#!/usr/bin/env bash
# Puts into corpus/fuzz/ the inputs that fuzzing found on this machine, as far as they
# reach statements that no shorter input of the same target reaches. Inputs with a name
# of their own stay.
source "$(dirname "$0")/lib.sh"

packages=./extension,./handshake,./rules,./clienthello,./clienthello/assemble,./capture
cache=$(go env GOCACHE)/fuzz/$(go list ./fuzz)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

go test -c -cover -coverpkg="$packages" -o "$work/fuzz.test" ./fuzz
go build -o "$work/seeds" ./fuzz/seeds
for function in $("$work/seeds" list); do
	step "$function"
	(cd fuzz && "$work/fuzz.test" -test.run '^TestMinimize$' -test.v -test.count=1 \
		-minimize="${function#Fuzz}" -candidates="$cache/$function" -chosen="$work/$function" >"$work/log" 2>&1) ||
		{ cat "$work/log"; exit 1; }
	grep 'inputs$' "$work/log"
done
rm "$work/log"
"$work/seeds" replace "$work"
