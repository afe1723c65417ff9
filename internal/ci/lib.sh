# Shared by the scripts beside this file, which source it. It moves to the root
# of the repository.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

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

# modules: the folders that hold a go.mod, this one first.
modules() {
	find . -name go.mod -not -path '*/testdata/*' -exec dirname {} \; | sort
}
