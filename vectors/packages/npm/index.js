import { readFileSync } from "node:fs";

export const kinds = [
  "tls_flags", "client_hello", "extension_bodies", "messages", "tls_records", "quic", "dtls", "first_bytes", "request_mtls",
];

export function load(kind) {
  return JSON.parse(readFileSync(new URL(`./${kind}.json`, import.meta.url), "utf8"));
}
