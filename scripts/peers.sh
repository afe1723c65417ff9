# Shared by the scripts that test servers; source it after lib.sh, and work in a temporary
# folder.

keys="ec -pkeyopt ec_paramgen_curve:P-256" # browsers know no Ed25519

# authority NAME: makes an authority, NAME.pem and NAME.key.
authority() {
	openssl req -x509 -newkey $keys -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>>log
}

# certificate NAME AUTHORITY: makes a certificate, NAME.pem, NAME.key, and both in NAME.both.
certificate() {
	openssl req -newkey $keys -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>>log
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(echo "subjectAltName=DNS:a.example,DNS:b.example,DNS:c.example,DNS:d.example,DNS:e.example") 2>>log
	cat "$1.pem" "$1.key" >"$1.both"
}

# identities: makes three authorities, each with a certificate: ca with site, bots with bot, and
# others with other.
identities() {
	authority ca
	authority bots
	authority others
	certificate site ca
	certificate bot bots
	certificate other others
}

# intermediate NAME AUTHORITY: makes an authority under another one.
intermediate() {
	openssl req -newkey $keys -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>>log
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(echo "basicConstraints=critical,CA:TRUE") 2>>log
}

# revoke AUTHORITY NAME: writes crl.pem, a list of the authority with that certificate.
revoke() {
	printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\n' >ca.conf
	: >index
	openssl ca -config ca.conf -keyfile "$1.key" -cert "$1.pem" -revoke "$2.pem" 2>>log
	openssl ca -config ca.conf -keyfile "$1.key" -cert "$1.pem" -gencrl -out crl.pem 2>>log
}

# want PATTERN COMMAND...: runs a command, whose output has to have the pattern.
want() {
	local got
	got=$("${@:2}" 2>&1) || true
	[[ $got == *$1* ]] || { echo "$*: got: $got" >&2; exit 1; }
}

# unflagged HOST PORT: clients without the flag get https://a.example:PORT/ from a server at
# HOST. None may be asked for a certificate: each has one, bot, and would send it. Programs that
# are not there go to the array missing.
missing=()
unflagged() {
	local request=$'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n' name=(--sni-hostname a.example --verify-hostname a.example)
	unasked curl -sS --cacert ca.pem --cert bot.pem --key bot.key --resolve "a.example:$2:$1" "https://a.example:$2/"
	for version in -tls1_2 -tls1_3; do
		unasked openssl s_client $version -connect "$1:$2" -servername a.example -verify_return_error -CAfile ca.pem \
			-cert bot.pem -key bot.key -ign_eof < <(printf %s "$request")
	done
	unasked gnutls-cli --x509cafile ca.pem --x509certfile bot.pem --x509keyfile bot.key "${name[@]}" -p "$2" "$1" < <(printf %s "$request")
	want "asked for: no" ./tlsflags get -v "https://$1:$2/" --server-name a.example --ca ca.pem --cert bot.pem --key bot.key --flag none
	if command -v certutil >/dev/null; then
		[ -d home ] || browser_home
		HOME=$PWD/home unasked "$(command -v google-chrome || echo chromium)" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
			--user-data-dir="$PWD/home/profile" --host-resolver-rules="MAP a.example $1" --dump-dom "https://a.example:$2/"
	else
		missing+=(certutil)
	fi
}

# browser_home: makes a folder whose store of certificates has the authority ca and bot.
browser_home() {
	mkdir -p home/.pki/nssdb
	local db=sql:$PWD/home/.pki/nssdb
	openssl pkcs12 -export -in bot.pem -inkey bot.key -out bot.p12 -passout pass:
	certutil -N -d "$db" --empty-password
	certutil -A -d "$db" -n ca -t C,, -i ca.pem
	pk12util -d "$db" -i bot.p12 -W "" >>log
}

# unasked COMMAND...: runs a client that must get an answer for somebody without a certificate.
unasked() {
	command -v "$1" >/dev/null || { missing+=("$1"); return; }
	local got
	got=$(timeout 60 "$@" 2>&1) || true
	[[ $got == *verify=* && $got != *verify=SUCCESS* ]] || { echo "$*: got: $got" >&2; exit 1; }
}
