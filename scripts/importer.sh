#!/usr/bin/env bash
# Checks that an importer of the parsers gets the parsers alone: few lines of go.sum, and
# few packages for the tests of the lowest one.
source "$(dirname "$0")/lib.sh"

step "what an importer of the parsers gets"
module=$(mktemp -d)
trap 'rm -rf "$module"' EXIT
cat >"$module/main.go" <<-'END'
	package main

	import (
		_ "github.com/tlsflags/tlsflags/clienthello"
		_ "github.com/tlsflags/tlsflags/clienthello/assemble"
		_ "github.com/tlsflags/tlsflags/extension"
	)

	func main() {}
END
root=$PWD
(
	cd "$module"
	export GOWORK=off
	go mod init example.com/importer
	go mod edit -replace "github.com/tlsflags/tlsflags=$root"
	go mod tidy
) 2>/dev/null
cat "$module/go.sum"
[ "$(wc -l <"$module/go.sum")" -le 8 ] ||
	{ echo "go.sum has more than 8 lines" >&2; exit 1; }
if grep -vE '^(golang.org/x/(crypto|sys)|github.com/google/(go-cmp|gofuzz)) ' "$module/go.sum"; then
	echo "go.sum names other modules than x/crypto, x/sys, go-cmp and gofuzz" >&2
	exit 1
fi

mkdir "$module/empty"
printf 'package empty\n' >"$module/empty/empty.go"
printf 'package empty\n\nimport "testing"\n\nfunc Test(*testing.T) {}\n' >"$module/empty/empty_test.go"
empty=$(cd "$module" && GOWORK=off go list -deps -test ./empty | wc -l)
packages=$(GOWORK=off go list -deps -test ./extension)
count=$(wc -l <<<"$packages")
echo "go test ./extension compiles $count packages, an empty test $empty"
[ "$count" -le $((empty + 20)) ] || { echo "that is more than 20 above an empty test" >&2; exit 1; }
! grep -x crypto/tls <<<"$packages" || { echo "the tests of extension import crypto/tls" >&2; exit 1; }
