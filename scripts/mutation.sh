#!/usr/bin/env bash
# Runs the mutation tool over every package that has a score to keep: 98 % for the
# parsers, 90 % for what is around them. Big packages are sampled, by a fixed seed.
source "$(dirname "$0")/lib.sh"

go -C tools build -o "$PWD/build/mutation" ./mutation
low=()
# score LEAST FOLDER [OPTION...]
score() {
	local least=$1 folder=$2
	shift 2
	step "mutation score of $folder, at least $least %"
	"$PWD/build/mutation" -sample 320 -seed 1 -least "$least" "$@" "$PWD/$folder" || low+=("$folder")
}
for package in "${parsers[@]}"; do
	score 98 "$package"
done
# These are also tested by the packages that use them.
score 98 internal/wire -tests handshake,clienthello
score 90 internal/ech -tests reqmtls
for package in clienthello/peek reqmtls reqmtls/client reqmtls/client/flagconn reqmtls/client/tls13 capture capture/{filter,columns} \
	cmd/tlsflags/internal/{annotate,cli,codepoint,demo,man,packets,paste,paths,probe,report,screen,terminal,vectorrun,where}; do
	score 90 "$package"
done
[ ${#low[@]} = 0 ] || { echo "mutation: too low, or not measured: ${low[*]}" >&2; exit 1; }
