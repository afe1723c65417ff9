#!/usr/bin/env bash
# Runs go mod tidy in every module; with -diff it shows what would change, and fails.
# go mod tidy does not look at go.work, so it gets a copy of go.mod that replaces our
# own modules by their folders. Their sums stay out of go.sum until a release.
source "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
replace=$(go list -m -f '-replace={{.Path}}={{.Dir}}')
drop=$(go list -m -f '-dropreplace={{.Path}}')
changed=0
for dir in $(modules) "${apart[@]}"; do
	cp "$dir/go.mod" "$work/go.mod"
	cp "$dir/go.sum" "$work/go.sum" 2>/dev/null || : >"$work/go.sum"
	go mod edit $replace "$work/go.mod"
	(cd "$dir" && GOWORK=off go mod tidy -modfile="$work/go.mod")
	go mod edit $drop "$work/go.mod"
	for file in go.mod go.sum; do
		[ -s "$work/$file" ] || continue
		if [ "${1:-}" = -diff ]; then
			diff -u "$dir/$file" "$work/$file" || changed=1
		else
			cp "$work/$file" "$dir/$file"
		fi
	done
done
exit $changed
