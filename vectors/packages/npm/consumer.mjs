// Gives the vectors of the package to the parser in consumers/javascript.
import assert from "node:assert/strict";
import { kinds, load } from "tlsflags-vectors";
import { Malformed, parseFlags } from "./tlsflags.mjs";

let count = 0;
for (const group of load("tls_flags").groups) {
  for (const test of group.tests) {
    count++;
    try {
      assert.deepEqual(parseFlags(Buffer.from(test.input, "hex")), test.parsed?.flags, test.id);
    } catch (e) {
      if (!(e instanceof Malformed)) throw e;
      assert.equal(e.code, test.code, test.id);
    }
  }
}
assert.equal(count, load("tls_flags").number_of_tests);
for (const kind of kinds) assert.equal(load(kind).kind, kind);
console.log(`npm package ${load("quic").version}: ${count} vectors pass`);
