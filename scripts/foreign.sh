#!/usr/bin/env bash
# Runs the tests of the parsers and of package capture on a big-endian and on a 32-bit
# machine.
source "$(dirname "$0")/lib.sh"

for arch in s390x arm; do
	qemu=qemu-$arch-static
	command -v "$qemu" >/dev/null ||
		skip "tests on s390x (big-endian) and arm (32-bit)" "no $qemu (Debian: qemu-user-static)"
	step "go test -short on linux/$arch"
	export CGO_ENABLED=0 GOOS=linux GOARCH=$arch
	go test -short -exec "$qemu" "${parsers[@]/#/./}"
	(cd capture && go test -short -exec "$qemu" ./...)
	unset GOOS GOARCH
done
