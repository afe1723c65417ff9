#!/usr/bin/env bash
# Runs the tests under the race detector, in the modules that users import or install.
source "$(dirname "$0")/lib.sh"

# The go command turns cgo off by itself if it finds no C compiler.
[ "$(go env CGO_ENABLED)" = 1 ] ||
	skip "tests under the race detector" "cgo is off or there is no C compiler"

for module in $published; do
	step "go test -race -short in $module"
	# TestChanged* run much code in one goroutine.
	(cd "$module" && go test -race -short -skip '^TestChanged' ./...)
done
