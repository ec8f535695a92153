"""What attackers send: requests, tokens and frames as bytes, by nobody's library that would keep to the rules.

Python's standard library only.
"""

import base64
import hashlib
import hmac
import json
import ssl
import zlib


def request(token, *lines, path="/ws"):
    head = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
    head += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    head += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*head, *lines, "", ""]).encode()


def client_hello():
    """The first bytes of a TLS client: they may be sent again and again, and a server signs for each."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a server")


# Tokens


def part(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def forged(algorithm, signature, claims):
    """A token with a signature of anybody's choice."""
    header = json.dumps({"alg": algorithm}).encode()
    return f"{part(header)}.{part(json.dumps(claims).encode())}.{part(signature)}"


def signed(secret, claims):
    text = part(b'{"alg":"HS256"}') + "." + part(json.dumps(claims).encode())
    return f"{text}.{part(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


# Frames


def frame(payload, opcode=1, is_final=True, is_compressed=False):
    first = (0x80 if is_final else 0) | (0x40 if is_compressed else 0) | opcode
    count = len(payload)
    if count < 126:
        head = bytes([first, 0x80 | count])
    elif count < 65_536:
        head = bytes([first, 0xFE]) + count.to_bytes(2, "big")
    else:
        head = bytes([first, 0xFF]) + count.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload  # a mask of zeros is a mask


def says(kind, **members):
    """A client's message in its frame."""
    return frame(json.dumps({"type": kind, **members}).encode())


def zeros(count):
    """So many zeros, in MiB, as a compressed message: a thousandth of it."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = b"\0" * (1 << 20)
    out = b"".join(squeeze.compress(piece) for _ in range(count))
    return out + squeeze.flush(zlib.Z_SYNC_FLUSH)[:-4]


def blocks(count):
    """A compressed message of so many blocks with nothing in them."""
    return b"\0\0\0\xff\xff" * count
