#!/usr/bin/env bash
# Runs the tests of the parsers on a big-endian and on a 32-bit machine.
source "$(dirname "$0")/lib.sh"

packages=()
for dir in extension handshake rules clienthello capture; do
	[ ! -d "$dir" ] || packages+=("./$dir/...")
done

for arch in s390x arm; do
	qemu=qemu-$arch-static
	command -v "$qemu" >/dev/null ||
		skip "tests on s390x (big-endian) and arm (32-bit)" "no $qemu (Debian: qemu-user-static)"
	step "go test -short on linux/$arch"
	CGO_ENABLED=0 GOOS=linux GOARCH=$arch go test -short -exec "$qemu" "${packages[@]}"
done
