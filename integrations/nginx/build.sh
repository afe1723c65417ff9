#!/bin/sh
# Builds the modules for Debian's nginx, from its package nginx-dev, into a folder.
set -eu
[ $# = 1 ] || { echo "usage: build.sh FOLDER" >&2; exit 2; }
to=$(mkdir -p "$1" && cd "$1" && pwd)
from=$(cd "$(dirname "$0")" && pwd)
[ -d /usr/share/nginx/src ] || { echo "build.sh: install nginx-dev" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r /usr/share/nginx/src/. "$work"
cd "$work"
./configure --with-compat --with-http_ssl_module --with-http_v2_module --with-stream=dynamic --with-stream_ssl_module \
	--with-cc-opt="-O2 -fPIC ${CFLAGS:-}" --with-ld-opt="${LDFLAGS:-}" --add-dynamic-module="$from" >configure.log || { cat configure.log >&2; exit 1; }
for kind in http stream; do
	make -s -f objs/Makefile "objs/ngx_${kind}_tls_flags_module.so"
	mv "objs/ngx_${kind}_tls_flags_module.so" "$to" # not into a file that nginx has loaded
done
