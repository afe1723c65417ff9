#!/usr/bin/env bash
# Tests integrations/caddy: its Go tests, and Caddy with probe, get, clients without the flag,
# and what sessions let clients do.
source "$(dirname "$0")/lib.sh"
source scripts/peers.sh

step "request_mtls in Caddy"
cc=$(command -v "${CC:-cc}" || true)
[ -n "$cc" ] && [ -e /usr/include/openssl/ssl.h ] && command -v openssl >/dev/null && command -v curl >/dev/null ||
	skip "Caddy" "no C compiler, curl, openssl or its headers (Debian: gcc, curl, openssl, libssl-dev)"

plugin=$PWD/integrations/caddy
(cd "$plugin" && go test ./...)
work=$(mktemp -d)
host=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).1 # of this run, so the port is free
port=8443
(cd "$plugin" && go build -o "$work/caddy" ./cmd/caddy)
"$cc" -std=c99 -pthread -O2 -Wall -Wextra -Werror -pedantic -o "$work/matrix" integrations/matrix/matrix.c -lssl -lcrypto
go build -o "$work/tlsflags" ./cmd/tlsflags
cd "$work"
export XDG_DATA_HOME=$work/data XDG_CONFIG_HOME=$work/data

identities
cp bots.pem now.pem
cp others.pem next.pem

# configure FILE [SCRIPT]: makes now.json of a Caddyfile, changed by a script of sed.
configure() {
	./caddy adapt --config "$1" 2>>log | sed "${2:-}" >now.json
	grep -q tls_flags now.json || { cat log >&2; exit 1; }
}

# control COMMAND: starts, reloads or ends the server.
admin=unix/$work/admin
cat >control <<END
start() { ./caddy start --config now.json >>start.log 2>&1 || { cat start.log >&2; exit 1; }; }
stop() { ./caddy stop --address $admin >>start.log 2>&1; }
# Without --force, Caddy does nothing if only the files have changed that it names.
reload() { ./caddy reload --force --config now.json --address $admin >>start.log 2>&1; }
case \$1 in
restart) stop; start ;;
toggle) cp now.pem last.pem; cp next.pem now.pem; cp last.pem next.pem; reload ;;
*) "\$1" ;;
esac
END
trap 'sh control stop || true; rm -rf "$work"' EXIT

# The Caddyfile of the README, at another address.
sed "s|skip_install_trust|&\n\tadmin $admin\n\tdefault_bind $host\n\tauto_https disable_redirects|; s/localhost/https:\/\/a.example/" "$plugin/Caddyfile" >readme
configure readme
sh control start
root=data/caddy/pki/authorities/local/root.crt
for try in $(seq 100); do # the certificate is made after the start
	sleep 0.1
	! ./tlsflags probe "$host:$port" --ca "$root" --server-name a.example --cert bot.pem --key bot.key --expect asks >probe 2>&1 || break
done
grep ': asks$' probe || { cat probe; exit 1; }
sh control stop

# Names with two authorities.
site() {
	echo "$1 {
	tls site.pem site.key {
		client_auth {
			mode verify_if_given
			trust_pool file $2
		}
	}
	tls_flags
	map {http.request.tls.client.subject} {verify} {
		~.+ SUCCESS
		default NONE
	}
	respond \"flags={tls_flags.flags} type={tls_flags.type} error={tls_flags.error} verify={verify} dn={http.request.tls.client.subject}
\"
}"
}
{
	sed -n '/^{/,/^}/p' readme
	site "https://a.example:$port, https://b.example:$port" now.pem
	site "https://c.example:$port" others.pem
} >names
configure names
sh control start
# Malformed flags are as none; the two hellos with a second extension are refused by crypto/tls.
./tlsflags probe "$host:$port" --ca ca.pem --server-name a.example --cert bot.pem --key bot.key --expect asks >probe
[ "$(grep -cE ') +ignores +no +-* *$' probe)" = 16 ] && [ "$(grep -cE ') +rejects +no +decode_error *$' probe)" = 2 ] ||
	{ cat probe; exit 1; }
unflagged "$host" "$port"
sh control stop

# Tickets whose keys are made by Caddy, kept in its storage, and none at all.
for tickets in "" "s/\"tls\":{/&\"session_tickets\":{\"key_source\":{\"provider\":\"distributed\"}},/" "s/\"tls\":{/&\"session_tickets\":{\"disabled\":true},/"; do
	configure names "$tickets"
	sh control start
	./matrix -o -l "sh control reload" -s "sh control restart" -t "sh control toggle" \
		"$host:$port" ca.pem a.example b.example c.example bot.both other.both
	sh control stop
done
echo "caddy: all tests pass"
[ ${#missing[@]} = 0 ] || skip "Caddy with ${missing[*]}" "not installed"
