#!/usr/bin/env bash
# Wants every statement of the parsers reached by the tests of its own package.
source "$(dirname "$0")/lib.sh"

step "statement coverage of the parsers"
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT
for package in "${parsers[@]/#/./}"; do
	go test -cover -coverprofile="$profile" "$package"
	if missed=$(grep ' 0$' "$profile"); then
		echo "$package: no test reaches" && sed 's/ .*//' <<<"$missed"
		exit 1
	fi
done
