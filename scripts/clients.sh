#!/usr/bin/env bash
# Runs the tests in which real programs are the clients: curl, GnuTLS, OpenSSL, node and
# Chromium.
source "$(dirname "$0")/lib.sh"

step "real clients"
cd cmd/tlsflags
go vet -tags realclients ./internal/demo
go test -count=1 -v -tags realclients -run 'TestRealClients|TestBrowser' ./internal/demo | grep -E '^ *--- |^(ok|FAIL|PASS)'
