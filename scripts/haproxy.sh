#!/usr/bin/env bash
# Tests integrations/haproxy with Debian's haproxy: the parser on the vectors, probe and get,
# clients without the flag, and resumption.
source "$(dirname "$0")/lib.sh"
source scripts/peers.sh

step "request_mtls in HAProxy"
cc=$(command -v "${CC:-cc}" || true)
haproxy=$(PATH=$PATH:/usr/sbin command -v haproxy || true)
[ -n "$cc" ] && [ -n "$haproxy" ] && [ -e /usr/include/openssl/ssl.h ] && command -v openssl >/dev/null && command -v curl >/dev/null ||
	skip "HAProxy" "no C compiler, haproxy, curl, openssl or its headers (Debian: gcc, haproxy, curl, openssl, libssl-dev)"

work=$(mktemp -d)
host=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).1 # of this run, so the port is free
port=8443
go run ./vectors/internal/dist -raw "$work/raw"
"$cc" -std=c99 -pthread -O2 -Wall -Wextra -Werror -pedantic -o "$work/matrix" integrations/matrix/matrix.c -lssl -lcrypto
go build -o "$work/tlsflags" ./cmd/tlsflags
cp integrations/haproxy/* "$work"
cd "$work"

printf 'global\n\tlog stderr format raw local0\n\tlua-load test.lua\n' >vectors.cfg
VECTORS=raw "$haproxy" -c -f vectors.cfg >vectors.log 2>&1 || true # it has nothing to do but the test
grep -o '[0-9]* checks of tlsflags.lua pass' vectors.log || { cat vectors.log; exit 1; }

identities
cp site.both site.pem
cp bots.pem now.pem
cp others.pem next.pem

# control COMMAND: starts, reloads or ends the server. A process that has ended, but that nobody
# has waited for, has no command line.
cat >control <<END
start() { $haproxy -D -p pid -f now.cfg "\$@" 2>>start.log || { cat start.log >&2; exit 1; }; }
gone() { while grep -q . "/proc/\$1/cmdline" 2>/dev/null; do sleep 0.02; done; }
reload() {
	old=\$(cat pid)
	start -sf "\$old"
	gone "\$old"
}
stop() {
	kill "\$(cat pid)"
	gone "\$(cat pid)"
	rm pid
}
case \$1 in
restart) stop; start ;;
toggle) cp now.pem last.pem; cp next.pem now.pem; cp last.pem next.pem; reload ;;
*) "\$1" ;;
esac
END
trap '[ ! -e pid ] || sh control stop; rm -rf "$work"' EXIT

# configure [SCRIPT]: changes the configuration by a script of sed.
configure() { sed "s/bind :8443/bind $host:$port/; s/@tlsflags-/@$host-/; ${1:-}" haproxy.cfg >now.cfg; }
get() { ./tlsflags get "https://$host:$port/" --ca ca.pem --server-name a.example "$@"; }

configure
sh control start
# Malformed flags are as none. Probe sends each kind of them under both code points.
./tlsflags probe "$host:$port" --ca ca.pem --server-name a.example --cert bot.pem --key bot.key --expect asks >probe
[ "$(grep -cE ') +ignores +no +-* *$' probe)" = 18 ] || { cat probe; exit 1; }
want "src=127.0.0.1 verify=SUCCESS dn=/CN=bot" get --cert bot.pem --key bot.key
want "verify=NONE" get --cert bot.pem --key bot.key --flag none
got=$(curl -sSk -H "X-Client-Verify: SUCCESS" -H "X-Client-Subject: x" "https://$host:$port/")
[ "$got" = "src=127.0.0.1 verify=NONE dn=" ] || { echo "header fields of a client count: $got" >&2; exit 1; }
unflagged "$host" "$port"

# Two authorities, by server name.
cat >asking.list <<END
site.pem [ca-file $work/now.pem verify optional] a.example b.example
site.pem [ca-file $work/others.pem verify optional] c.example
END
names="s/crt site.pem ca-file bots.pem verify optional/crt-list asking.list/"
sh control stop
try() { ./matrix -o "$@" "$host:$port" ca.pem a.example b.example c.example bot.both other.both; }
configure "$names"
sh control start
try -l "sh control reload" -s "sh control restart" -t "sh control toggle"
sh control stop
configure "$names; s/^global/&\n\tssl-default-bind-options no-tls-tickets/"
sh control start
try
echo "haproxy: all tests pass"
[ ${#missing[@]} = 0 ] || skip "HAProxy with ${missing[*]}" "not installed"
