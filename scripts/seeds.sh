#!/usr/bin/env bash
# Checks what others get: .clusterfuzzlite/build.sh asks for every target, with seeds, and
# OpenSSL and GnuTLS read the raw seeds.
source "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step ".clusterfuzzlite/build.sh"
mkdir "$work/out"
OUT=$work/out CXXFLAGS="" PATH=$PWD/scripts/ossfuzz:$PATH bash -eu .clusterfuzzlite/build.sh >"$work/log" || { cat "$work/log"; exit 1; }
go vet -tags gofuzz ./internal/fuzzing # what the programs have instead of seeds

step "raw seeds in OpenSSL and GnuTLS"
cc=$(command -v "${CC:-cc}" || true)
[ -n "$cc" ] && pkg-config --exists openssl gnutls 2>/dev/null ||
	skip "raw seeds" "no C compiler, or no pkg-config and headers (Debian: gcc, pkg-config, libssl-dev, libgnutls28-dev)"
# shellcheck disable=SC2046 # flags are several words
"$cc" -std=c11 -O2 -Wall -Wextra -Werror -pedantic -o "$work/seeds" scripts/seeds.c $(pkg-config --cflags --libs openssl gnutls)
go run ./fuzz/seeds export raw "$work/raw" >/dev/null
"$work/seeds" "$work/raw"
