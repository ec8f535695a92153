"""Bad tokens of each kind, and what the node pays for each."""

import subprocess
import time

import flood
import hostile

KEYS = {
    "RS256": ["rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "EdDSA": ["ed25519"],
}
FLAGS = ("--trusted-proxies", "127.0.0.0/8")


def bad(secret):
    now = int(time.time())
    claims = {"sub": "mallory", "exp": now + 3600}
    return {
        "none at all": None,
        "no token, 200 bytes": "x" * 200,
        "no token, 4 KiB": "x" * 4000,
        "algorithm `none`": hostile.forged("none", b"x", claims),
        "HS256, forged": hostile.forged("HS256", b"x" * 32, claims),
        "HS256, 4 KiB, forged": hostile.forged("HS256", b"x" * 32, {**claims, "name": "x" * 2800}),
        "HS256, expired": hostile.signed(secret, {"sub": "mallory", "exp": now - 100}),
        "RS256, forged": hostile.forged("RS256", b"\1" * 256, claims),
        "ES256, forged": hostile.forged("ES256", bytes(range(1, 65)), claims),
        "EdDSA, forged": hostile.forged("EdDSA", b"\1" * 64, claims),
    }


def public_keys(made):
    """Flags with a public key of each kind, so that signatures of each kind are checked."""
    files = []
    for name, words in KEYS.items():
        private, public = made.folder / f"{name}.key", made.folder / f"{name}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", *words, "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        files.append(str(public))
    return ("--public-key-file", ",".join(files))


def costs(made, node, rounds=5, handshakes=400):
    """Microseconds of the node's CPU, and of the attacker's, for one handshake of each kind: the least of some rounds.

    Nobody else is there, and no limit by address: `FLAGS` are among the node's.
    """
    kinds = {**bad(made.secret), "HS256, good": made.token("mallory", "Mallory")}
    least = dict.fromkeys(kinds, (float("inf"), float("inf")))
    for _ in range(rounds):
        for kind, token in kinds.items():
            knocks = flood.Knocks(node.port, hostile.request(token))
            node_before, own_before = node.cpu(), time.process_time()
            for _ in range(handshakes):
                status = knocks.once()
                assert status == (101 if "good" in kind else 401), f"{kind}: answered with {status}"
            spent = (node.cpu() - node_before, time.process_time() - own_before)
            least[kind] = tuple(min(a, b / handshakes * 1e6) for a, b in zip(least[kind], spent))
    return least
