# Everything here needs Go, git and make. What needs more says so in one line
# and is skipped; with REQUIRE_ALL=1 a skip is a failure.

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test test-soak test-hostile bench cost tidy lint generated cross foreign race modules coverage unit fuzz fuzz-smoke fuzz-libfuzzer fuzz-openssl fuzz-seeded corpus-minimize corpus-export corpus-coverage test-consumers vectors-observed vectors-dist

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

demo: ## show which ClientHellos of a recorded capture carry TLS Flags
	go run ./cmd/tlsflags inspect corpus/captures/demo.pcapng

# unit comes last: the lines of go test end the output.
test: lint generated cross foreign race modules coverage test-consumers unit ## run every check below

tidy: ## go mod tidy in every module, as a new requirement needs
	@internal/ci/tidy.sh

lint: ## gofmt, go mod tidy, go vet and staticcheck in every module
	@internal/ci/lint.sh

generated: ## generated files match what go generate writes
	@internal/ci/generated.sh

cross: ## go vet for platforms that are not this one
	@internal/ci/cross.sh

foreign: ## the parsers' tests on big-endian and on 32-bit machines, under qemu
	@internal/ci/foreign.sh

race: ## the tests under the race detector (needs cgo and a C compiler)
	@internal/ci/race.sh

modules: ## the tests of bench/ and the other modules inside this one
	@internal/ci/modules.sh

coverage: ## every statement of the parsers is reached by their own tests
	@internal/ci/coverage.sh

test-consumers: ## run the parsers in Python, JavaScript, Rust, C and Java on the test vectors
	@internal/ci/consumers.sh

vectors-observed: ## record what crypto/tls, OpenSSL and GnuTLS do with each ClientHello (needs libssl-dev, libgnutls28-dev)
	go run ./vectors/internal/observe -o vectors/internal/generate/observed.json
	go generate ./vectors

vectors-dist: ## write a tarball of the test vectors to dist/, with its SHA-256
	@go run ./vectors/internal/dist -from vectors -to dist

unit: ## the tests, with the seeds of the fuzz targets
	go test ./...

test-hostile: ## a million packets of each attack on a capture's reader
	go test -count=1 -timeout 30m -run 'TestFloods$$' ./capture -flood=1000000

bench: ## measure against other libraries and print the ratios
	@cd bench && go test -count=1 -run 'Ratios$$' -ratios .

cost: ## count the instructions of a handshake with and without reqmtls (needs valgrind)
	@internal/ci/cost.sh

fuzz: ## every fuzz target for FUZZTIME (1m), and a table of what came out
	@internal/ci/fuzz.sh $(or $(FUZZTIME),1m)

fuzz-smoke: ## the same for 20 seconds each
	@internal/ci/fuzz.sh $(or $(FUZZTIME),20s)

fuzz-libfuzzer: ## build every target with go-118-fuzz-build and clang, and run it for FUZZTIME (60s)
	@internal/ci/fuzz_libfuzzer.sh $(or $(FUZZTIME),60s)

fuzz-openssl: ## compare the parser with OpenSSL's (needs cgo and libssl-dev)
	@internal/ci/fuzz_openssl.sh $(or $(FUZZTIME),20s)

fuzz-seeded: ## plant known faults one by one, and see how soon the targets find them
	@go run ./fuzz/seeded

corpus-minimize: ## take the inputs that fuzzing found and that reach something new into corpus/
	@internal/ci/corpus_minimize.sh

corpus-export: ## write the seeds of all targets to build/seeds, for Go, AFL++, libFuzzer and OSS-Fuzz
	@for format in go plain libfuzzer zip; do go run ./fuzz/seeds export $$format build/seeds/$$format; done

corpus-coverage: ## hold that the corpus alone reaches 95 % of the parsers' statements
	@internal/ci/corpus_coverage.sh

test-soak: ## 10,000 TLS handshakes of many clients under the race detector
	go test -race -run TestSoak ./reqmtls -soak
