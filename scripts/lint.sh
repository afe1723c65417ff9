#!/usr/bin/env bash
# gofmt over the tree; go mod tidy, go vet and staticcheck in every module.
source "$(dirname "$0")/lib.sh"

step gofmt
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "run gofmt -w on:"; echo "$unformatted"; exit 1; }

tools=$PWD/tools/go.mod
for dir in $(modules); do
	step "go mod tidy, go vet, staticcheck in $dir"
	(
		cd "$dir"
		go mod tidy -diff
		[ "$dir" != ./tools ] || exit 0 # it has no packages
		go vet ./...
		go tool -modfile="$tools" staticcheck ./...
	)
done
