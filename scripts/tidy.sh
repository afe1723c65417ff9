#!/usr/bin/env bash
# The modules inside this one repeat its requirements, so they are tidied together.
source "$(dirname "$0")/lib.sh"

for dir in $(modules); do
	(cd "$dir" && go mod tidy)
done
