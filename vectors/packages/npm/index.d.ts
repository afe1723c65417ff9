// The types of the files. README.md explains the keys.

/** Reads the file of one kind. */
export declare function load<K extends Kind>(kind: K): File<K>;

export declare const kinds: readonly Kind[];

/** The tests of each kind. */
export interface Tests {
  tls_flags: FlagsTest;
  client_hello: HelloTest | PrefixesTest;
  extension_bodies: HelloTest;
  messages: MessageTest;
  tls_records: PiecesTest;
  quic: PiecesTest;
  dtls: PiecesTest;
  first_bytes: PiecesTest;
  request_mtls: ExchangeTest;
}

export type Kind = keyof Tests;

export interface File<K extends Kind = Kind> {
  schema: string;
  kind: K;
  version: string;
  generated_by: string;
  spec: string[];
  number_of_tests: number;
  notes: { [flag: string]: Note };
  groups: Group<K>[];
}

export interface Group<K extends Kind = Kind> {
  kind: K;
  name: string;
  comment: string;
  entry: "extension_data" | "handshake" | "records" | "datagrams" | "quic_datagrams" | "dtls_datagrams" | "exchange";
  source: string;
  tests: Tests[K][];
}

/** Explains a flag of tests. */
export interface Note {
  description: string;
  effect: string;
  links: string[];
}

/** Bytes as lower-case hexadecimal digits. */
export type Hex = string;

export interface Common {
  id: string;
  comment: string;
  flags: string[];
  observed?: { [implementation: string]: string };
}

export interface Valid extends Common {
  result: "valid";
  alternatives?: Alternative[];
}

export interface Invalid extends Common {
  result: "invalid";
  code: string;
  offset: number;
  alert: Alert;
  alternatives: Alternative[];
}

export interface Alert {
  value: number;
  name: string;
  clause: string;
}

export interface QuicError {
  value: number;
  name: string;
  clause: string;
}

export interface Alternative {
  result: "valid" | "invalid";
  outcome?: "complete" | "need_more" | "not_this_protocol" | "refused";
  alert?: string;
  quic_error?: string;
  clause: string;
  who: string;
}

export type FlagsTest = (Valid & { parsed: { flags: number[] } } | Invalid) & {
  input: Hex;
  readings?: Reading[];
};

export interface Reading {
  document: string;
  result: "valid" | "invalid";
  flags: number[];
}

export type HelloTest = (Valid & { parsed: ParsedHello } | Invalid) & { input: Hex };

/** One test for each length of input in the range, whose ends are included. The whole input is valid. */
export type PrefixesTest = Omit<Invalid, "offset"> & {
  input: Hex;
  prefixes: { from: number; to: number };
  parsed: ParsedHello;
};

export type MessageTest = (Valid & { parsed: ParsedFlags } | Invalid) & {
  before: Hex[];
  sender: Side;
  message: string;
  input: Hex;
};

export type PiecesTest = (Complete | Unfinished | Refused) & { pieces: Hex[]; memory: number };

export type Complete = Valid & { outcome: "complete"; joined: Hex; parsed: ParsedHello };

export interface Unfinished extends Common {
  result: "invalid";
  outcome: "need_more" | "not_this_protocol";
  alternatives?: Alternative[];
}

/** A fault of QUIC has no alert. */
export type Refused = Omit<Invalid, "alert"> & { outcome: "refused"; alert?: Alert; quic_error?: QuicError };

export type ExchangeTest = (
  | Valid & { action: "no_request" | "plain_request" | "acknowledged_request" | "send_certificate" | "send_empty" | "go_on" }
  | Omit<Invalid, "code" | "offset"> & { action: "abort" }
) & { text: string; state: State; steps: Step[]; clause: string };

export type Side = "client" | "server";

export interface State {
  side: Side;
  version: "TLS 1.2" | "TLS 1.3";
  resumed: boolean;
  honor: boolean;
  always: boolean;
  require: boolean;
  has_certificate: boolean;
  mismatch: boolean;
}

export interface Step {
  from: Side;
  message: string;
  input: Hex;
}

export interface ParsedFlags {
  flags: number[];
  flags_extension?: number;
}

export interface ParsedHello extends ParsedFlags {
  client_hello: {
    legacy_version: number;
    session_id: Hex;
    cipher_suites: { count: number; first: number; last: number };
    compression_methods: Hex;
    extensions: number[];
    server_name: string | null;
    alpn: string[];
    supported_versions: number[];
  };
}
