#!/usr/bin/env bash
# Makes types of the schemas of the vectors, in TypeScript and in Rust, and reads every file
# through them. The generators are npm packages, serde is Debian's.
source "$(dirname "$0")/lib.sh"

crates=/usr/share/cargo/registry
[ -d tools/types/node_modules ] || skip "types of the vectors" "run npm ci --prefix tools/types"
node --version >/dev/null 2>&1 || skip "types of the vectors" "node does not run"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

step "types of the vectors in TypeScript"
node tools/types/generate.mjs vectors "$build"
tools/types/node_modules/.bin/tsc -p "$build"
echo '{"type": "module"}' >"$build/js/package.json"
node tools/types/compare.mjs vectors "$build/js"

cargo --version >/dev/null 2>&1 || skip "types of the vectors in Rust" "cargo does not run"
compgen -G "$crates/serde_json-*" >/dev/null || skip "types of the vectors in Rust" "no librust-serde-json-dev"
step "types of the vectors in Rust"
cp tools/types/Cargo.toml "$build"
cp tools/types/main.rs "$build/src"
cargo run --quiet --offline --manifest-path "$build/Cargo.toml" \
	--config 'source.crates-io.replace-with="debian"' --config "source.debian.directory=\"$crates\"" -- vectors
