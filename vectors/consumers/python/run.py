"""Runs tlsflags.py on the vectors.

    python3 run.py            on the JSON files two folders up
    python3 run.py --answer   speaks the protocol of "tlsflags vectors run", in JSON
"""

import json
import pathlib
import sys

import tlsflags

PARSERS = {"extension_data": lambda data: (tlsflags.parse_flags(data), 0), "handshake": tlsflags.parse_client_hello}
KINDS = "tls_flags", "client_hello"


def answer(entry, data):
    try:
        flags, extension_type = PARSERS[entry](data)
    except tlsflags.Malformed as e:
        return {"result": "invalid", "code": e.code, "offset": e.offset, "alert": e.alert}
    return {"result": "valid", "flags": flags, "flags_extension": extension_type}


def expected(test):
    if test["result"] == "valid":
        parsed = test["parsed"]
        return {"result": "valid", "flags": parsed["flags"], "flags_extension": parsed.get("flags_extension", 0)}
    return {"result": "invalid", "code": test["code"], "offset": test.get("offset"), "alert": test["alert"]["value"]}


def cases(test):
    """Yields the inputs of a test, with the expected results."""
    data = bytes.fromhex(test["input"])
    if "prefixes" not in test:
        yield data, expected(test)
        return
    for n in range(test["prefixes"]["from"], test["prefixes"]["to"] + 1):
        yield data[:n], expected(test) | {"offset": n}


def check(group, test):
    """Returns what is wrong, or None."""
    for data, want in cases(test):
        got = answer(group["entry"], data)
        if got != want:
            clause = test["alert"]["clause"] if "alert" in test else group["source"]
            return f"{test['id']}: got {got}, want {want} ({clause})"
    return None


def run(folder):
    count, failures = 0, []
    for kind in KINDS:
        file = json.loads((folder / f"{kind}.json").read_text())
        for group in file["groups"]:
            for test in group["tests"]:
                count += 1
                failures += filter(None, [check(group, test)])
    for failure in failures[:20]:
        print(failure)
    print(f"python: {count - len(failures)} of {count} vectors pass")
    return 1 if failures else 0


def serve():
    for line in sys.stdin:
        test = json.loads(line)
        if test["kind"] in KINDS:
            reply = answer(test["entry"], bytes.fromhex(test["input"]))
        else:
            reply = {"result": "skipped"}
        print(json.dumps({"id": test["id"]} | reply), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["--answer"] else run(pathlib.Path(__file__).resolve().parents[2]))
