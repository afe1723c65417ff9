#!/usr/bin/env bash
# Builds the release twice, each time from a new clone of HEAD, and compares the bytes. The
# second build has no build cache. PLATFORMS says for what, such as linux/amd64,darwin/arm64.
source "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
head=$(git rev-parse HEAD)
# build NAME: builds in a clone of that name.
build() {
	step "release build of the $1 clone"
	git clone --quiet . "$work/$1"
	git -C "$work/$1" checkout --quiet --detach "$head"
	(cd "$work/$1" && go run ./tools/release build -o "$work/$1-dist" ${PLATFORMS:+-platforms "$PLATFORMS"})
	[ -z "$(git -C "$work/$1" status --porcelain)" ] || { echo "the build changed the working tree" >&2; exit 1; }
}
build first
GOCACHE=$work/cache build second
diff -r "$work/first-dist" "$work/second-dist"
step "the same bytes: $(wc -l <"$work/first-dist/SHA256SUMS") files"
