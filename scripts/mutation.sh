#!/usr/bin/env bash
# Runs the mutation tool over every package that has a score to keep: 98 % for the
# parsers, 90 % for what is around them. Big packages are sampled, by a fixed seed.
source "$(dirname "$0")/lib.sh"

go -C tools build -o "$PWD/build/mutation" ./mutation
score() {
	step "mutation score of $2, at least $1 %"
	"$PWD/build/mutation" -sample 300 -seed 1 -least "$1" "$PWD/$2"
}
for package in "${parsers[@]}"; do
	score 98 "$package"
done
for package in capture reqmtls reqmtls/client reqmtls/client/flagconn reqmtls/client/tls13 \
	cmd/tlsflags/internal/{annotate,cli,demo,probe,terminal,vectorrun}; do
	score 90 "$package"
done
