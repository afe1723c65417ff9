#!/usr/bin/env bash
# Tests integrations/openssl: the parser on the vectors, handshakes in memory, and the demo
# server with "tlsflags probe", "tlsflags get", the demo client and openssl s_client. The
# argument "long" adds ASan, UBSan, ThreadSanitizer, valgrind and libFuzzer.
source "$(dirname "$0")/lib.sh"
source scripts/peers.sh

step "request_mtls in OpenSSL"
cc=$(command -v "${CC:-cc}" || true)
[ -n "$cc" ] && [ -e /usr/include/openssl/ssl.h ] && command -v openssl >/dev/null ||
	skip "OpenSSL" "no C compiler, no headers or no openssl (Debian: gcc, libssl-dev, openssl)"
mode=${1:-}
flags=(-O2)
[ "$mode" != long ] || flags=(-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all)

# long TOOL: succeeds if the argument is long and the tool is there.
long() {
	[ "$mode" = long ] || return 1
	command -v "$1" >/dev/null || { missing+=("$1"); return 1; }
}

from=integrations/openssl
parser=vectors/consumers/c
work=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$work"' EXIT

# build NAME SOURCE... : compiles a program as C99.
build() {
	"$cc" -std=c99 "${flags[@]}" -pthread -Wall -Wextra -Werror -pedantic -I"$parser" -o "$work/$1" "${@:2}" "$parser/tlsflags.c" -lssl -lcrypto
}

build vectors "$parser/run.c"
go run ./vectors/internal/dist -raw "$work/raw"
"$work/vectors" "$work/raw"

library=$from/tlsflags_openssl.c
build test "$from/test.c" "$from/test_peers.c" "$library"
"$work/test"
build threads "$from/test_threads.c" "$from/test_peers.c" "$library"
"$work/threads"
build server "$from/server.c" "$library"
build client "$from/client.c" "$library"
build matrix integrations/matrix/matrix.c
if long "$cc"; then
	flags=(-g -O1 -fsanitize=thread)
	build threads "$from/test_threads.c" "$from/test_peers.c" "$library"
	"$work/threads"
fi
if long valgrind; then
	flags=(-g -O1)
	build plain "$from/test.c" "$from/test_peers.c" "$library"
	valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite "$work/plain"
fi
if long clang; then
	cc=clang
	flags=(-g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
	build fuzz "$from/fuzz.c" "$from/test_peers.c" "$library"
	mkdir "$work/found"
	"$work/fuzz" -runs=20000 -max_len=4096 -artifact_prefix="$work/" "$work/found" "$work/raw" 2>"$work/log" || { tail -50 "$work/log"; exit 1; }
fi

go build -o "$work/tlsflags" ./cmd/tlsflags
cd "$work"

identities
head -c 80 /dev/urandom >keys
cp bots.pem now.pem

# finish: ends the server, which succeeds unless a sanitizer has something to say.
server=
finish() {
	[ -n "$server" ] || return 0
	exec 9>&-
	wait "$server"
}

# start ARGUMENT...: starts a server; $port is its port. It ends with its standard input.
names=(b.example:require:bots.pem c.example:request:others.pem '*:request:now.pem')
start() {
	finish
	rm -f in out
	mkfifo in out
	./server "$@" site.pem site.key "${names[@]}" <in >out &
	server=$!
	exec 9>in 8<out
	read -r port <&8
}

# reload: makes the server read its files again.
reload() {
	echo reload >&9
	read -r _ <&8
}

bot() { ./client -s "$1" -c bot.pem -k bot.key "$port" ca.pem "${2:-a.example}"; }
plain() { ./client -s "$1" "$port" ca.pem a.example; }
get() { ./tlsflags get "https://127.0.0.1:$port/" --ca ca.pem --server-name a.example "$@"; }

fresh="flagged=1 asked=1 resumed=0 verify=SUCCESS dn=/CN=bot"
again="flagged=1 asked=0 resumed=1 verify=SUCCESS dn=/CN=bot"
nobody="flagged=0 asked=0"

start -k keys
# Probe sends each of the nine malformed kinds under both code points.
./tlsflags probe "127.0.0.1:$port" --ca ca.pem --server-name a.example --cert bot.pem --key bot.key --expect acknowledges >probe
[ "$(grep -cE ') +rejects +no +illegal_parameter *$' probe)" = 18 ] || { cat probe; exit 1; }
want "$fresh" get --cert bot.pem --key bot.key
want "$nobody" get --flag none
unflagged 127.0.0.1 "$port"
want "acknowledged=1 $fresh" bot one
want "$again" bot one
want "$nobody resumed=0" plain one
want "$nobody resumed=1" plain one
want "$fresh" bot one
want "$fresh" bot one b.example
start -k keys # after a restart with the same keys
want "$again" bot one b.example
want "$fresh" bot one
cp others.pem now.pem
reload
want "handshake failed" ./client -s one -c bot.pem -k bot.key "$port" ca.pem nobody.example
want "no answer" bot one
cp bots.pem now.pem
start -e 1024
want "$fresh" bot four
want "$again" bot four
start -v 1.2
want "acknowledged=0 $nobody" bot five
want "acknowledged=0 $nobody" bot five

# resumption OPTION...: what sessions let clients do; the commands reach the server too.
resumption() {
	./matrix -a -l 'echo reload >&9; read -r _ <&8' \
		-t 'cp now.pem last.pem; cp next.pem now.pem; cp last.pem next.pem; echo reload >&9; read -r _ <&8' "$@" \
		"127.0.0.1:$port" ca.pem a.example b.example c.example bot.both other.both
}
cp others.pem next.pem
names=(c.example:request:others.pem '*:request:now.pem')
start -k keys
resumption -k
start -n # sessions are in the memory of the server
resumption
start -k keys -g P-384 # each handshake has a HelloRetryRequest
resumption -k
names=(c.example:require:others.pem '*:require:now.pem')
start -k keys
resumption -k -r 116
finish
server=
echo "openssl: the demo server passes"
[ ${#missing[@]} = 0 ] || skip "OpenSSL with ${missing[*]}" "not installed"
