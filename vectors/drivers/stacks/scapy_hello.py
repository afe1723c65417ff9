"""The ClientHello dissector of scapy.

Each line of standard input is "message", a tab and a handshake message in hexadecimal; the
answer is "accept", "closes" or "waits".
"""
import logging
import sys

logging.disable(logging.CRITICAL)
import scapy
from scapy.layers.tls.handshake import TLSClientHello
from scapy.packet import NoPayload, Padding, Raw


def answer(message):
    if len(message) < 4 or len(message) - 4 < int.from_bytes(message[1:4], "big"):
        return "waits"
    if message[0] != 1:
        return "closes"
    try:
        hello = TLSClientHello(message)
        # What scapy cannot dissect becomes Raw or Padding, or is lost.
        layer = hello
        while not isinstance(layer, NoPayload):
            if isinstance(layer, (Raw, Padding)):
                return "closes"
            layer = layer.payload
        for extension in hello.ext or []:
            if isinstance(extension, (Raw, Padding)) or not isinstance(extension.payload, NoPayload):
                return "closes"
    except Exception:
        return "closes"
    return "accept"


print("scapy@" + scapy.VERSION, flush=True)
for line in sys.stdin:
    print(answer(bytes.fromhex(line.split("\t")[1])), flush=True)
