// The type of a test follows from the kind, and its keys from the outcome and the result.
import { load, type Alternative, type Hex } from "tlsflags-vectors";

export const joined: Hex[] = [];
for (const group of load("quic").groups) {
  for (const test of group.tests) {
    if (test.outcome === "complete") joined.push(test.joined);
  }
}

export const refused: [string, number, string, Alternative[]][] = [];
for (const group of load("messages").groups) {
  for (const test of group.tests) {
    if (test.result === "invalid") refused.push([test.code, test.offset, test.alert.name, test.alternatives]);
  }
}
