# Shared by the scripts that test servers; source it after lib.sh, and work in a temporary
# folder.

# authority NAME: makes an authority, NAME.pem and NAME.key.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>>log
}

# certificate NAME AUTHORITY: makes a certificate, NAME.pem, NAME.key, and both in NAME.both.
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>>log
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(echo "subjectAltName=DNS:a.example,DNS:b.example,DNS:c.example,DNS:d.example,DNS:e.example") 2>>log
	cat "$1.pem" "$1.key" >"$1.both"
}

# intermediate NAME AUTHORITY: makes an authority under another one.
intermediate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>>log
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
