# Everything here needs Go, git and make. What needs more says so in one line
# and is skipped; with REQUIRE_ALL=1 a skip is a failure.

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test lint words importer generated cross foreign race modules coverage clients test-consumers test-seeds \
	vectors-types vectors-packages unit \
	test-long test-hostile test-soak bench cost mutation vectors-live vectors-mutants fuzz fuzz-smoke fuzz-libfuzzer \
	fuzz-openssl fuzz-seeded corpus-minimize corpus-choose corpus-export corpus-coverage tidy api drivers vectors-observed \
	matrix vectors-dist

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

demo: ## show which ClientHellos of a recorded capture carry TLS Flags
	go run ./cmd/tlsflags inspect corpus/captures/demo.pcapng

# unit comes last: the lines of go test end the output.
test: lint words importer generated cross foreign race modules coverage clients test-consumers test-openssl test-nginx test-haproxy test-seeds vectors-types vectors-packages unit ## run every check below

lint: ## gofmt, go mod tidy, go vet and staticcheck in every module
	@scripts/lint.sh

words: ## count words that make comments and documents hard to read
	@scripts/words.sh

importer: ## what an importer of the parsers gets: few lines of go.sum
	@scripts/importer.sh

generated: ## generated files match what go generate writes
	@scripts/generated.sh

cross: ## go vet for platforms that are not this one
	@scripts/cross.sh

foreign: ## the parsers' tests on big-endian and on 32-bit machines, under qemu
	@scripts/foreign.sh

race: ## the tests under the race detector (needs cgo and a C compiler)
	@scripts/race.sh

modules: ## the tests of the modules inside this one, with the API files
	@scripts/modules.sh

coverage: ## every statement of the parsers is reached by their own tests
	@scripts/coverage.sh

clients: ## the demo server with real clients: curl, GnuTLS, OpenSSL, node, Chromium
	@scripts/clients.sh

test-consumers: ## run the parsers in Python, JavaScript, Rust, C and Java on the test vectors
	@scripts/consumers.sh

.PHONY: test-openssl test-openssl-long
test-openssl: ## integrations/openssl with probe, get, the demo client and openssl s_client (gcc, libssl-dev)
	@scripts/openssl.sh

.PHONY: test-haproxy
test-haproxy: ## integrations/haproxy with probe, get, clients without the flag, and what sessions let clients do (haproxy)
	@scripts/haproxy.sh

.PHONY: lint-apart
test-long: lint-apart
lint-apart: ## staticcheck in the modules that have a workspace of their own
	@scripts/lint.sh apart

.PHONY: test-caddy
test-long: test-caddy
test-caddy: ## the same for integrations/caddy, and its Go tests
	@scripts/caddy.sh

test-long: test-openssl-long
test-openssl-long: ## the same with sanitizers, valgrind and libFuzzer (valgrind, clang)
	@scripts/openssl.sh long

.PHONY: test-nginx test-nginx-long
test-nginx: ## integrations/nginx in Debian's nginx, with probe, get and real clients (nginx-dev, libnginx-mod-stream)
	@scripts/nginx.sh

test-long: test-nginx-long
test-nginx-long: ## the same with load, reloads, valgrind and AddressSanitizer (valgrind, and nginx's source: NGINX_SOURCE or deb-src)
	@scripts/nginx.sh long

test-seeds: ## build.sh of OSS-Fuzz without a compiler, and the raw seeds in OpenSSL and GnuTLS (libssl-dev, libgnutls28-dev)
	@scripts/seeds.sh

vectors-types: ## types that generators make of the vectors' schemas, in TypeScript and Rust
	@scripts/types.sh

vectors-packages: ## install the packages of the vectors in empty projects, for Go, C, npm and Python
	@scripts/packages.sh

unit: ## the tests of the root module, with the seeds of the fuzz targets
	go test ./...

test-long: fuzz-seeded vectors-mutants vectors-live drivers corpus-coverage test-hostile test-soak cost ## what takes minutes; run it before a release
	@scripts/mutation.sh

test-hostile: ## a million packets of each attack on a capture's reader, the memory that they take, and all tests with workers
	cd capture && go test -count=1 -timeout 30m -run TestFloods . -flood=1000000
	cd capture && go test -count=1 -timeout 30m . -several -mixes=2000

.PHONY: test-receivers evasion-table
test-long: COMBINATIONS = 10000
test-long: test-receivers
test-receivers: ## send tricks to real servers, and compare what they read with inspect; COMBINATIONS=300 SEED=1
	@scripts/receivers.sh -n $(or $(COMBINATIONS),300) -seed $(or $(SEED),1)

.PHONY: test-router
test-long: test-router
test-router: ## examples/router with crowds of 2,000 hostile clients under the race detector, its splice and CPU time (needs strace)
	cd examples && go test -race -count=1 -timeout 20m -run TestHostile ./router -crowd 2000
	cd examples && go test -count=1 -run 'TestSplice|TestCPU' -v ./router -measure

.PHONY: beam-demo test-beam
beam-demo: ## find the hellos of the corpus with a pipeline of Apache Beam on this machine
	@scripts/beam_demo.sh

test-long: test-beam beam-demo
test-beam: ## compare the pipeline with inspect --join, and kill its jobs
	cd integrations/beam && go test -count=1 -timeout 20m ./...

.PHONY: test-live-rate
test-long: test-live-rate
test-live-rate: ## live capture of 8,000 hellos at 200 and 500 Mbit/s between two network namespaces (root, iproute2, tcpreplay)
	@scripts/live_rate.sh

evasion-table: ## write the tables of docs/evasion.md (needs tshark)
	@scripts/receivers.sh -n 0 -document docs/evasion.md

test-soak: ## 10,000 TLS handshakes of many clients under the race detector
	go test -race -run TestSoak ./reqmtls -soak

bench: ## measure against other libraries and on captures of three shapes, and print the ratios
	@cd bench && go test -count=1 -run 'Ratios$$' . -ratios

.PHONY: bench-table
bench-table: ## the same with tshark and gopacket beside, and write docs/speed.md
	@cd bench && go test -count=1 -timeout 30m -run 'InspectRatios$$' . -ratios -document ../docs/speed.md

cost: ## count the instructions of a handshake with and without reqmtls (needs valgrind)
	@scripts/cost.sh

mutation: ## change the statements of PKG (./extension) one by one, and list the changes that its tests pass
	@go -C tools run ./mutation $(MUTATION) $(abspath $(or $(PKG),./extension))

vectors-live: ## send every valid message of the vectors inside a handshake with OpenSSL (needs gcc, libssl-dev)
	go test -count=1 -timeout 2m -tags live ./vectors/internal/live

vectors-mutants: ## put bugs into the parsers, and see that a test vector catches each
	go test -count=1 -tags mutants ./vectors/internal/mutants

fuzz: ## every fuzz target for FUZZTIME (1m), and a table of what came out
	@scripts/fuzz.sh $(or $(FUZZTIME),1m)

fuzz-smoke: ## the same for 20 seconds each
	@scripts/fuzz.sh $(or $(FUZZTIME),20s)

fuzz-libfuzzer: ## build every target with go-118-fuzz-build and clang, and run it for FUZZTIME (60s)
	@scripts/fuzz_libfuzzer.sh $(or $(FUZZTIME),60s)

fuzz-openssl: ## compare the parser with OpenSSL's (needs cgo and libssl-dev)
	@scripts/fuzz_openssl.sh $(or $(FUZZTIME),20s)

fuzz-seeded: ## plant known faults one by one, and see how soon the targets find them
	@go run ./fuzz/seeded

corpus-minimize: ## take the inputs that fuzzing found and that reach something new into corpus/
	@go run ./fuzz/seeds minimize

corpus-choose: ## choose the seeds that fuzzing starts from, for targets with more than 300
	@go run ./fuzz/seeds choose

corpus-export: ## write all seeds to build/seeds, for Go, AFL++, libFuzzer and OSS-Fuzz, and for parsers of others
	@for format in go plain libfuzzer zip raw; do go run ./fuzz/seeds export $$format build/seeds/$$format; done

corpus-coverage: ## check that the corpus alone reaches 95 % of the parsers' statements
	@scripts/corpus_coverage.sh

tidy: ## go mod tidy in every module, as a new requirement needs
	@scripts/tidy.sh

api: ## write api/ again after a change of the exported API
	go run ./tools/api

drivers: ## ask twelve TLS stacks what they do with the vectors, and list what changed
	@go run ./vectors/drivers check

vectors-observed: ## record what the stacks do with the vectors, all or those named in STACKS
	go run ./vectors/drivers record $(STACKS)
	go generate ./vectors

matrix: ## write docs/matrix.md again from what was recorded, after a change of the vectors
	go run ./vectors/drivers matrix

vectors-dist: ## write the packages of the test vectors and a tarball to dist/, with SHA-256 sums (needs python3-build)
	@go run ./vectors/internal/dist -from vectors -to dist

.PHONY: release-check release release-tags release-same
test-long: release-check release-same
release-check: ## make the release of HEAD in a clone, install the command from it and import every package
	@go run ./tools/release check

release: ## the same, and write the archives of the command, SBOMs and SHA-256 sums to dist/release
	@go run ./tools/release build -o dist/release

release-tags: ## the same as release-check, and add the release commit and its tags to the repository
	@go run ./tools/release tag

release-same: ## build the release twice and compare the bytes; PLATFORMS=linux/amd64,darwin/arm64
	@scripts/release_same.sh
