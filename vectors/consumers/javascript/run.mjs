// Runs tlsflags.mjs on the vectors.
//
//   node run.mjs            on the JSON files two folders up
//   node run.mjs --answer   speaks the protocol of "tlsflags vectors run", in JSON

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

import { Malformed, parseClientHello, parseFlags } from "./tlsflags.mjs";

const PARSERS = {
  extension_data: (data) => ({ flags: parseFlags(data), type: 0 }),
  handshake: parseClientHello,
};
const KINDS = ["tls_flags", "client_hello"];

function answer(entry, data) {
  try {
    const { flags, type } = PARSERS[entry](data);
    return { result: "valid", flags, flags_extension: type };
  } catch (e) {
    if (!(e instanceof Malformed)) throw e;
    return { result: "invalid", code: e.code, offset: e.offset, alert: e.alert };
  }
}

function expected(test) {
  if (test.result === "valid") {
    return { result: "valid", flags: test.parsed.flags, flags_extension: test.parsed.flags_extension ?? 0 };
  }
  return { result: "invalid", code: test.code, offset: test.offset, alert: test.alert.value };
}

// Yields the inputs of a test, with the expected results.
function* cases(test) {
  const data = Uint8Array.from(Buffer.from(test.input, "hex"));
  if (test.prefixes === undefined) {
    yield [data, expected(test)];
    return;
  }
  for (let n = test.prefixes.from; n <= test.prefixes.to; n++) {
    yield [data.subarray(0, n), { ...expected(test), offset: n }];
  }
}

// Returns what is wrong, or undefined.
function check(group, test) {
  for (const [data, want] of cases(test)) {
    const got = answer(group.entry, data);
    if (!isDeepStrictEqual(got, want)) {
      const clause = test.alert?.clause ?? group.source;
      return `${test.id}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)} (${clause})`;
    }
  }
}

function run() {
  let count = 0;
  const failures = [];
  for (const kind of KINDS) {
    const file = JSON.parse(readFileSync(new URL(`../../${kind}.json`, import.meta.url), "utf8"));
    for (const group of file.groups) {
      for (const test of group.tests) {
        count++;
        const failure = check(group, test);
        if (failure !== undefined) failures.push(failure);
      }
    }
  }
  for (const failure of failures.slice(0, 20)) console.log(failure);
  console.log(`javascript: ${count - failures.length} of ${count} vectors pass`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

function serve() {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const test = JSON.parse(line);
    const reply = KINDS.includes(test.kind) ? answer(test.entry, Uint8Array.from(Buffer.from(test.input, "hex"))) : { result: "skipped" };
    console.log(JSON.stringify({ id: test.id, ...reply }));
  });
}

if (process.argv[2] === "--answer") serve();
else run();
