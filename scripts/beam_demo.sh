#!/usr/bin/env bash
# Finds the hellos of the corpus with the pipeline of integrations/beam, on this machine, and
# asks DuckDB about them, if it is there.
source "$(dirname "$0")/lib.sh"

out=build/beam
rm -rf "$out"
step "captures to Parquet in $out"
(cd integrations/beam && go run . --input "$OLDPWD/corpus/captures/*" --output "$OLDPWD/$out" --sensor-regexp '/([a-z]+)[0-9]*[^/]*$')
find "$out" -name '*.parquet' | sed 's,/[^/]*$,,' | sort | uniq -c

[ -d tools/duckdb/node_modules ] || skip "the question to DuckDB" "run npm ci --prefix tools/duckdb"
step "hellos and request_mtls by sensor"
(cd tools/duckdb && node query.mjs "SELECT sensor, count(*), count(*) FILTER (request_mtls) FROM '../../$out/*/*/*.parquet' GROUP BY ALL ORDER BY ALL")
