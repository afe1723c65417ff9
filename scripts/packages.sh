#!/usr/bin/env bash
# Builds the packages of the vectors, installs each in an empty project without a network,
# and runs a consumer of it. VERSION is the version of all.
source "$(dirname "$0")/lib.sh"

python=/usr/bin/python3
needed=(-I -c 'import setuptools, wheel, build, pip')
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
version=$(cat vectors/VERSION)
consumers=$PWD/vectors/consumers
packages=$PWD/vectors/packages
missing=()

# package NAME TOOL ARGUMENT...: succeeds if the tool runs with the arguments.
package() {
	if ! "${@:2}" >/dev/null 2>&1; then
		echo "skipped: $1: ${*:2} does not run"
		missing+=("$1")
		return 1
	fi
	step "package of the vectors for $1"
	mkdir "$build/$1"
	cd "$build/$1"
}

# same TEXT: checks that a consumer prints this version.
same() {
	echo "$1"
	[[ $1 == *" $version: "* ]] || { echo "the version is not $version" >&2; exit 1; }
}

with_python=$python
"$python" "${needed[@]}" 2>/dev/null || with_python=
go run ./vectors/internal/dist -from vectors -to "$build/dist" -python "$with_python" >/dev/null
root=$PWD

if package Go go version; then
	cp "$packages/consumer.go.txt" main.go
	export GOWORK=off GOFLAGS=-mod=mod GOPROXY=off
	go mod init example.com/consumer 2>/dev/null
	go mod edit -require github.com/tlsflags/tlsflags@v0.0.0 -replace github.com/tlsflags/tlsflags="$root"
	same "$(go run .)"
fi
if package C "${CC:-cc}" --version; then
	cp "$build/dist/tlsflags_vectors.h" "$packages/c/consumer.c" "$consumers"/c/tlsflags.[ch] .
	"${CC:-cc}" -std=c11 -Wall -Wextra -Werror -pedantic -o consumer ./*.c
	same "$(./consumer)"
fi
if package npm npm --version; then
	cp "$packages/npm/consumer.mjs" "$consumers/javascript/tlsflags.mjs" .
	npm init --yes >/dev/null
	npm install --silent --offline --no-audit --no-fund "$build/dist/tlsflags-vectors-$version.tgz"
	same "$(node consumer.mjs)"
	tsc=$root/tools/types/node_modules/.bin/tsc
	if [ -x "$tsc" ]; then
		cp "$packages/npm/consumer.ts" .
		"$tsc" --strict --noEmit --module nodenext --types '' --ignoreConfig consumer.ts
	fi
fi
if package Python "$python" "${needed[@]}"; then
	cp "$packages/python/consumer.py" .
	for from in "$build/dist/tlsflags_vectors-$version-py3-none-any.whl" "$build/dist/tlsflags_vectors-$version.tar.gz"; do
		rm -rf site
		PIP_ROOT_USER_ACTION=ignore "$python" -m pip install --quiet --no-index --no-build-isolation --target site "$from"
		same "$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=site:$consumers/python "$python" consumer.py)"
	done
fi

[ ${#missing[@]} = 0 ] || skip "packages of the vectors for ${missing[*]}" "no tools"
