#!/usr/bin/env bash
# go generate must change nothing. Work that is not committed yet is fine.
source "$(dirname "$0")/lib.sh"

[ "$(git rev-parse --is-inside-work-tree 2>/dev/null)" = true ] ||
	skip "generated files" "not a git work tree"

state() {
	git status --porcelain
	git diff
}

step "go generate"
before=$(state)
go generate ./...
after=$(state)
[ "$before" = "$after" ] || {
	echo "go generate changed files; commit what it writes:"
	diff <(echo "$before") <(echo "$after") || true
	exit 1
}
