"""Tokens and keys by PyJWT, an implementation nobody here wrote: tokens.py FOLDER

writes FOLDER/keys.json (a key set of public keys), FOLDER/pss.pem and FOLDER/secret, and prints [name, token, is good] for
every algorithm a node verifies, and for some tokens it must refuse.
"""

import base64
import hmac
import json
import pathlib
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

folder = pathlib.Path(sys.argv[1])
claims = {"sub": "ann", "exp": int(time.time()) + 600, "iat": int(time.time()), "iss": "https://idp.example", "aud": ["chat"]}
secret = "0123456789abcdef" * 4

first, second, third, pss = (rsa.generate_private_key(65537, 2048) for _ in range(4))
keys = {
    "RS256": first,
    "RS384": second,
    "RS512": third,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
algorithms = jwt.algorithms.get_default_algorithms()
public = []
for name, key in keys.items():
    jwk = algorithms[name].to_jwk(key.public_key(), as_dict=True)
    public.append({**jwk, "kid": name, "alg": name, "use": "sig"})
(folder / "keys.json").write_text(json.dumps({"keys": public}))
spki = serialization.PublicFormat.SubjectPublicKeyInfo
pem = pss.public_key().public_bytes(serialization.Encoding.PEM, spki)
(folder / "pss.pem").write_bytes(pem)
(folder / "secret").write_text(secret)

keys |= {"PS256": pss, "HS256": secret, "HS384": secret, "HS512": secret}
stranger = ed25519.Ed25519PrivateKey.generate()
expired = claims | {"exp": int(time.time()) - 1}


def token(name, key=None, kid=None, **changed):
    return jwt.encode(claims | changed, key or keys[name], algorithm=name, headers={"kid": kid or name})


def forged(secret, kid):
    """By hand: PyJWT does not take a public key for a secret."""
    parts = [json.dumps({"alg": "HS256", "kid": kid}).encode(), json.dumps(claims).encode()]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    code = hmac.digest(secret, signed, "sha256")
    return (signed + b"." + base64.urlsafe_b64encode(code).rstrip(b"=")).decode()


tokens = [[name, token(name), True] for name in keys]
tokens += [
    ["another's signature", token("EdDSA", stranger), False],
    ["another key's name", token("ES256", kid="RS256"), False],
    ["an unknown key's name", token("ES256", kid="new"), False],
    ["an expired token", token("RS256", **expired), False],
    ["another issuer", token("RS256", iss="https://else.example"), False],
    ["another audience", token("RS256", aud="mail"), False],
    ["no signature", jwt.encode(claims, None, algorithm="none"), False],
    ["a public key as a secret", forged(pem, "PS256"), False],
]
print(json.dumps(tokens))
