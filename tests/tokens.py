"""JSON Web Tokens for tests, issued by joserfc. Parley checks them with PyJWT."""

import json
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from parley.issuers import Algorithm, Issuer

ISSUER, AUDIENCE = "https://login.example.com", "parley"
SECRET = "a shared secret of at least 32 bytes"
ASYMMETRIC: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
Key = OctKey | RSAKey | ECKey | OKPKey


class _Ascii(json.JSONEncoder):
    """Escapes all but ASCII, as many issuers do. So a token can have half of an emoji."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "ensure_ascii": True})


def key(algorithm: str, kid: str = "k1") -> Key:
    """A new key, the same in each call."""
    return _key(algorithm, kid)


@cache
def _key(algorithm: str, kid: str) -> Key:
    more: Any = {"kid": kid, "use": "sig"}
    match algorithm:
        case "RS256":
            return RSAKey.generate_key(2048, more)
        case "ES256":
            return ECKey.generate_key("P-256", more)
        case "EdDSA":
            return OKPKey.generate_key("Ed25519", more)
        case _:
            return OctKey.import_key(SECRET)


def public(algorithm: str, kid: str = "k1") -> dict[str, Any]:
    """The public half of `key` as a JSON Web Key."""
    return dict(key(algorithm, kid).as_dict(private=False))


def issuer(algorithm: Algorithm = "HS256", **changes: Any) -> Issuer:
    """An issuer with the key of that algorithm."""
    keys: dict[str, Any] = {"secrets": (SECRET,)} if algorithm == "HS256" else {"keys": (public(algorithm),)}
    return Issuer(**{"issuer": ISSUER, "audience": AUDIENCE, "algorithm": algorithm, **keys, **changes})


def claims(now: float, **changes: Any) -> dict[str, Any]:
    """The claims of a token that is valid for five minutes. None removes one."""
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "lin", "name": "Lin Mei", "exp": int(now) + 300, **changes}
    return {name: value for name, value in made.items() if value is not None}


def token(
    now: float,
    algorithm: str = "HS256",
    header: Mapping[str, Any] | None = None,
    signer: Key | None = None,
    **more: Any,
) -> str:
    """A token with those claims."""
    kid = {} if algorithm == "HS256" else {"kid": "k1"}
    made = {"alg": algorithm, **kid, **(header or {})}
    header = {name: value for name, value in made.items() if value is not None}
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; issuers still write EdDSA. A test has a key that is too short.
        warnings.simplefilter("ignore", SecurityWarning)
        signing = signer or key(algorithm)
        return jwt.encode(header, claims(now, **more), signing, algorithms=[algorithm], encoder_cls=_Ascii)
