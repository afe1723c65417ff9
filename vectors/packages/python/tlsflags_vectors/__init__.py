"""Test vectors for the TLS Flags extension. README.md of the package explains the keys."""

import json
from importlib import resources

KINDS = (
    "tls_flags", "client_hello", "extension_bodies", "messages", "tls_records", "quic", "dtls", "first_bytes", "request_mtls",
)


def load(kind):
    """Return the file of one of the KINDS, as json.load does."""
    return json.loads(resources.files(__name__).joinpath(f"{kind}.json").read_text("utf-8"))
