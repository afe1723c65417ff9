#!/usr/bin/env bash
# gofmt, go mod tidy, go vet and staticcheck in every module, and luac if there is one. With
# "apart", staticcheck of the modules apart, which takes minutes.
source "$(dirname "$0")/lib.sh"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd tools && GOWORK=off go build -o "$bin" honnef.co/go/tools/cmd/staticcheck)
if [ "${1:-}" = apart ]; then
	for dir in "${apart[@]}"; do
		step "staticcheck in .${dir#"$PWD"}"
		(cd "$dir" && "$bin/staticcheck" ./...)
	done
	exit
fi

step gofmt
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "run gofmt -w on:"; echo "$unformatted"; exit 1; }

step "go mod tidy"
scripts/tidy.sh -diff

if luac=$(command -v luac luac5.4 luac5.2 | head -n 1); then
	step "luac -p"
	"$luac" -p integrations/*/*.lua
fi

for dir in $(modules); do
	step "go vet, staticcheck in .${dir#"$PWD"}"
	(cd "$dir" && go vet ./... && "$bin/staticcheck" ./...)
done
for dir in "${apart[@]}"; do
	step "go vet in .${dir#"$PWD"}"
	(cd "$dir" && go vet ./...)
done

step "go vet of what tags leave out"
go vet -tags mutants ./vectors/internal/mutants
go vet -tags live ./vectors/internal/live
