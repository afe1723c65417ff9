#!/usr/bin/env bash
# Tests integrations/nginx with Debian's nginx: resumption, malformed flags, server blocks,
# reloads, real clients. The argument "long" adds load, memory, instructions, valgrind and
# AddressSanitizer, with the source of nginx in NGINX_SOURCE or from apt-get.
source "$(dirname "$0")/lib.sh"
source scripts/peers.sh

step "request_mtls in nginx"
cc=$(command -v "${CC:-cc}" || true)
nginx=$(PATH=$PATH:/usr/sbin command -v nginx || true)
[ -n "$cc" ] && [ -n "$nginx" ] && [ -d /usr/share/nginx/src ] && [ -e /usr/lib/nginx/modules/ngx_stream_module.so ] && command -v openssl >/dev/null ||
	skip "nginx" "no C compiler, nginx or its headers (Debian: gcc, nginx, nginx-dev, libnginx-mod-stream, openssl)"

stream="load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
processes="worker_processes 3;"
root=$PWD
work=$(mktemp -d)
host=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).1 # of this run, so the ports are free
integrations/nginx/build.sh "$work"
"$cc" -std=c99 -pthread -O2 -Wall -Wextra -Werror -pedantic -o "$work/matrix" integrations/matrix/matrix.c -lssl -lcrypto
go build -o "$work/tlsflags" ./cmd/tlsflags
cd "$work"

identities
certificate gone bots
revoke bots gone
intermediate middle bots
certificate far middle
cat far.pem middle.pem >far.chain
head -c 80 /dev/urandom >keys
cp bots.pem now.pem
cp others.pem next.pem

# names PORT LINE...: server blocks at a port, with the lines in each.
names() {
	local name authorities mode
	for name in a.example/now.pem/on '~^b\./now.pem/on' c.example/others.pem/on d.example//off e.example/bots.pem/require; do
		IFS=/ read -r name authorities mode <<<"$name"
		echo "server { listen $host:$1 ssl http2; server_name $name; tls_flag_client_auth $mode;" \
			"${authorities:+tls_flag_client_certificate $authorities;} ${*:2} }"
	done
}

# configure: prints nginx.conf.
configure() {
	local answer='resumed=$ssl_session_reused flags=$tls_flags mtls=$tls_request_mtls verify=$ssl_client_verify dn=$ssl_client_s_dn\n'
	local body="return 200 \"http=\$server_protocol $answer\";"
	cat <<END
$stream
load_module $work/ngx_http_tls_flags_module.so;
load_module $work/ngx_stream_tls_flags_module.so;
pid pid;
$processes
worker_shutdown_timeout 5s;
$([ "$(id -u)" != 0 ] || echo "user root;")
events { }
http {
	access_log off;
	client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
	ssl_protocols TLSv1.2 TLSv1.3;
	ssl_certificate_key site.key;
	ssl_session_ticket_key keys;
	ssl_session_cache shared:tls:4m;
	map \$ssl_server_name \$certificate { default $work/site.pem; }
	$(names 8443 "ssl_certificate site.pem;" "$body")
	$(names 8444 "ssl_certificate site.pem; ssl_session_tickets off;" "$body")
	$(names 8445 'ssl_certificate $certificate; ssl_ecdh_curve secp384r1; ssl_early_data on;' "$body")
	server {
		listen $host:8446 ssl; ssl_certificate site.pem; tls_flag_client_auth on; ssl_client_certificate bots.pem;
		ssl_verify_client optional; $body
	}
	server {
		listen $host:8447 ssl; ssl_certificate site.pem; tls_flag_client_auth on; ssl_client_certificate bots.pem;
		ssl_crl crl.pem; $body
	}
}
stream {
	ssl_protocols TLSv1.2 TLSv1.3;
	ssl_certificate_key site.key;
	ssl_session_ticket_key keys;
	map \$ssl_server_name \$certificate { default $work/site.pem; }
	tls_flag_client_auth on;
	server {
		listen $host:8448 ssl; ssl_certificate \$certificate; tls_flag_client_certificate now.pem; return "$answer";
	}
	server {
		listen $host:8449 ssl; ssl_certificate site.pem; tls_flag_client_auth require; ssl_client_certificate now.pem;
		ssl_verify_depth 0;
		return "$answer";
	}
}
END
}

# without_module: prints nginx.conf for an nginx that does not know the flag.
without_module() {
	configure | sed -E '/_tls_flags_module/d; s/tls_flag_client_[a-z]+ [^;]*;//g; s/\$tls_(flags|request_mtls)//g'
}

# control COMMAND: starts, reloads or ends the server. Old workers have to be gone, or they
# would answer. A process that has ended, but that nobody has waited for, has no command line.
cat >control <<'END'
children() { cat "/proc/$(cat pid)/task/"*/children; }
gone() { for process; do while grep -q . "/proc/$process/cmdline" 2>/dev/null; do sleep 0.02; done; done; }
reload() {
	old=$(children)
	kill -HUP "$(cat pid)"
	gone $old
}
stop() {
	main=$(cat pid)
	kill -QUIT "$main"
	gone "$main"
}
start() { $nginx -p "$PWD" -c nginx.conf -e error.log 2>>start.log || { cat start.log error.log >&2; exit 1; }; }
case $1 in
restart) stop; start ;;
toggle) cp now.pem last.pem; cp next.pem now.pem; cp last.pem next.pem; reload ;;
*) "$1" ;;
esac
END

control() { sh control "$1"; }
trap '[ ! -e "$work/pid" ] || (cd "$work" && control stop); rm -rf "$work"' EXIT

get() { ./tlsflags get -v "https://$host:$1/" --ca ca.pem --server-name "$2" "${@:3}"; }
bot() { get "$1" "$2" --cert bot.pem --key bot.key "${@:3}"; }
matrix() { ./matrix -a "${@:2}" "$host:$1" ca.pem a.example b.example "$other" bot.both other.both; }

export nginx
configure >nginx.conf
control start
other=c.example

# The flag, in HTTP/2 and in stream; probe sends each of the nine malformed kinds under both
# code points.
for port in 8443 8448; do
	./tlsflags probe "$host:$port" --ca ca.pem --server-name a.example --cert bot.pem --key bot.key --expect acknowledges >probe
	[ "$(grep -cE ') +rejects +no +illegal_parameter *$' probe)" = 18 ] || { cat probe; exit 1; }
done
want "http=HTTP/2.0 resumed=. flags=3,80 mtls=1 verify=SUCCESS dn=CN=bot" bot 8443 a.example --flag 3,80
want "flag acknowledged: yes" bot 8443 a.example
want "http=HTTP/2.0 resumed=. flags= mtls= verify=NONE dn=" get 8443 a.example --flag none
want "flags=80 mtls= verify=NONE" bot 8443 d.example
want "certificate asked for: no" bot 8443 d.example

# Requests for another server block than that of the handshake: here get's Host is the
# address, which the first block serves.
want "421 Misdirected Request" bot 8443 e.example
want "421 Misdirected Request" get 8443 c.example --cert other.pem --key other.key
want "200 OK" get 8443 e.example --flag none

# A server that asks everybody keeps its own settings; ssl_crl and ssl_verify_depth count for
# the flag.
want "asked for: yes" get 8446 a.example --flag none
want "given: no, flag acknowledged: no" get 8446 a.example --flag none
want "given: yes, flag acknowledged: yes" bot 8446 a.example
want "verify=SUCCESS dn=CN=bot" bot 8447 a.example
want "revoked" get 8447 a.example --cert gone.pem --key gone.key
want "verify=SUCCESS dn=CN=far" get 8443 a.example --cert far.chain --key far.key
want "unknown certificate authority" get 8449 a.example --cert far.chain --key far.key

# check LINE...: what nginx says about a server block.
check() {
	echo "$stream load_module $work/ngx_http_tls_flags_module.so; pid check.pid; events { }
		http { ssl_certificate site.pem; ssl_certificate_key site.key; server { listen $host:8450 ssl; tls_flag_client_auth on; $* } }" >check.conf
	$nginx -t -p "$PWD" -c check.conf -e check.log 2>&1
}
want "no tls_flag_client_certificate or ssl_client_certificate for tls_flag_client_auth" check
want "cannot read certificates of authorities from \"$work/site.key\"" check "tls_flag_client_certificate site.key;"
want "cannot read certificates of authorities from \"$work/none.pem\"" check "tls_flag_client_certificate none.pem;"
want "has no effect without TLSv1.3 in ssl_protocols" check "tls_flag_client_certificate bots.pem;"
want "has no effect with ssl_verify_client" check "tls_flag_client_certificate bots.pem; ssl_client_certificate bots.pem; ssl_verify_client on;"

# The example of the README.
sed -n '/^```nginx/,/^```$/p' "$root/integrations/nginx/README.md" | sed "/^\`/d; s#modules/#$PWD/#; 1i pid check.pid;" >check.conf
want "test is successful" $nginx -t -p "$PWD" -c check.conf -e check.log

unflagged "$host" 8443
echo "nginx: clients without the flag are not asked"

matrix 8443 -k -l "sh control reload" -s "sh control restart" -t "sh control toggle"
matrix 8444
matrix 8445
other=-
matrix 8448
matrix 8449 -r 116

# A reload drops the module, another loads it again.
without_module >nginx.conf
control reload
want "asked for: no" bot 8443 a.example
configure >nginx.conf
control reload
want "verify=SUCCESS dn=CN=bot" bot 8443 a.example
! grep -E "emerg|signal" error.log || exit 1
[ ${#missing[@]} = 0 ] || skip "nginx with ${missing[*]}" "not installed"
[ "${1:-}" = long ] || exit 0

command -v valgrind >/dev/null || skip "nginx under load" "no valgrind"
other=c.example
load() { matrix "$1" -c "$2" "${@:3}"; }

# memory PROCESS...: the memory of processes without files and shared zones, in KiB.
memory() {
	local process
	for process; do cat "/proc/$process/smaps_rollup"; done | awk '/^Anonymous:/ { sum += $2 } END { print sum }'
}

# at_most RATIO WHAT NUMBER NUMBER: fails if the second is more than RATIO times the first.
at_most() {
	awk -v most="$1" -v what="$2" -v a="$3" -v b="$4" 'BEGIN { printf "%s: %d, %d, ratio %.3f\n", what, a, b, b / a; exit b > most * a }'
}

reloads() {
	while [ -e reloading ]; do control reload; sleep 0.5; done
}

# with_reloads PORT COUNT: load while the configuration is read again and again.
with_reloads() {
	: >reloading
	reloads &
	load "$1" "$2"
	rm reloading
	wait $!
}

# A reload makes new workers, but only adds to the memory of the main process.
with_reloads 8444 5000
few=$(memory "$(cat pid)")
with_reloads 8444 15000
at_most 1.05 "KiB of the main process after 5,000 and 20,000 connections with reloads" "$few" "$(memory "$(cat pid)")"
load 8443 5000
few=$(memory $(control children))
load 8443 15000
at_most 1.05 "KiB of the workers after 5,000 and 20,000 connections" "$few" "$(memory $(control children))"
! grep -E "emerg|signal" error.log || exit 1
control stop

# In one process, which valgrind counts: unflagged handshakes with and without the module.
# The difference of two counts is free of what starting nginx costs.
processes="master_process off; daemon off;"
count() { # COUNT: instructions of nginx with so many connections
	valgrind --tool=callgrind --callgrind-out-file=callgrind $nginx -p "$PWD" -c nginx.conf -e error.log 2>valgrind.log &
	until [ -s pid ]; do sleep 0.1; done
	load 8443 "$1" -p >&2
	control stop
	wait $!
	awk '/^(summary|totals):/ { print $2; exit }' callgrind
}
without_module >nginx.conf
without=$(($(count 600) - $(count 100)))
configure >nginx.conf
with=$(($(count 600) - $(count 100)))
at_most 1.02 "instructions of 500 handshakes without and with the module" "$without" "$with"

# Memory errors, and leaks other than the two of nginx itself.
cat >suppressions <<'END'
{
	environment
	Memcheck:Leak
	...
	fun:ngx_set_environment
}
{
	regular expressions
	Memcheck:Leak
	...
	fun:ngx_regex_compile
}
END
valgrind --leak-check=full --errors-for-leak-kinds=definite --suppressions=suppressions --error-exitcode=9 \
	$nginx -p "$PWD" -c nginx.conf -e error.log 2>valgrind.log &
until [ -s pid ]; do sleep 0.1; done
load 8443 500
load 8444 500
control stop
wait $! || { cat valgrind.log; exit 1; }

# The same with AddressSanitizer, and an allocation for each that nginx takes from a pool. Its
# processes end without freeing all, so leaks are not looked for.
if [ -n "${NGINX_SOURCE:-}" ]; then
	cp -r "$NGINX_SOURCE" source
else
	apt-get source nginx >source.log 2>&1 && mv nginx-*/ source ||
		skip "nginx with AddressSanitizer" "no source of nginx: set NGINX_SOURCE to its folder, or add deb-src lines to apt's sources (and install dpkg-dev)"
fi
cd source
./configure --with-debug --with-compat --with-http_ssl_module --with-http_v2_module --with-stream --with-stream_ssl_module \
	--with-cc-opt="-g -O1 -fPIC -fsanitize=address -DNGX_DEBUG_PALLOC=1" --with-ld-opt=-fsanitize=address \
	--add-dynamic-module="$root/integrations/nginx" >configure.log || { cat configure.log; exit 1; }
make -s
mv objs/*.so ..
cd ..
stream= processes="worker_processes 3;" nginx=$PWD/source/objs/nginx
export ASAN_OPTIONS=detect_leaks=0:log_path=$PWD/asan
configure >nginx.conf
control start
with_reloads 8443 10000
with_reloads 8444 10000
control stop
! cat asan.* 2>/dev/null || exit 1
echo "nginx: sanitizers and valgrind pass"
