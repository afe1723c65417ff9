# Shared by the scripts beside this file, which source it. It moves to the root
# of the repository.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# step WHAT: says what is being checked.
step() {
	echo "== $*"
}

# skip WHAT REASON: ends the script, with success unless REQUIRE_ALL=1.
skip() {
	echo "skipped: $1: $2"
	[ "${REQUIRE_ALL:-0}" != 1 ] || { echo "REQUIRE_ALL=1: nothing may be skipped" >&2; exit 1; }
	exit 0
}

# go_fuzz LOG FUNCTION TIME ARGUMENT...: runs one fuzz function for a time; fails when an
# input does. A busy machine makes go test end with "context deadline exceeded" when the
# time is up (golang/go issue 75804, fixed in Go 1.27): no input has failed then.
go_fuzz() {
	local log=$1 function=$2 time=$3
	shift 3
	go test "$@" -run '^$' -fuzz "^$function\$" -fuzztime "$time" -fuzzminimizetime 10x \
		${FUZZPARALLEL:+-parallel "$FUZZPARALLEL"} >"$log" 2>&1 ||
		{ grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; }
}

# The folders of the modules that users import or install, the root last.
published="capture reqmtls/client cmd/tlsflags ."

# The folders of the packages that parse what a peer sent.
parsers=(extension handshake rules clienthello clienthello/assemble fingerprint)

# The modules that have workspaces of their own, since Caddy does not compile with the quic-go of
# other modules, and Beam needs newer versions of many. They take minutes: lint.sh vets them, and
# make test-long has the rest.
apart=("$PWD/integrations/caddy" "$PWD/integrations/beam")

# modules: the folders of all modules in go.work, the root first.
modules() {
	go list -m -f '{{.Dir}}'
}
