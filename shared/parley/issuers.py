"""The issuers of JSON Web Tokens that an app trusts, as its configuration names them. `parley.bearer` checks tokens."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

Algorithm = Literal["HS256", "RS256", "ES256", "EdDSA"]
_SECRET_BYTES = 32
"""RFC 7518, 3.2: the secret of HS256 is at least as long as the hash."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class KeyType(NamedTuple):
    """The keys of an algorithm: `kty` and `crv` of a JSON Web Key (RFC 7518, RFC 8037)."""

    kty: str
    crv: str = ""


KEY_TYPES: Mapping[str, KeyType] = {
    "RS256": KeyType("RSA"),
    "ES256": KeyType("EC", "P-256"),
    "EdDSA": KeyType("OKP", "Ed25519"),
}


class Issuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An issuer, and how its tokens are signed. Raises ValueError, which names the field and never its value."""

    issuer: str
    """The claim `iss`."""
    audience: str
    """The claim `aud`, or one of its values."""
    algorithm: Algorithm
    """The only algorithm that is accepted."""
    secrets: tuple[str, ...] = ()
    """For HS256: the shared secret. While it changes, the new one and the old one."""
    keys: tuple[dict[str, Any], ...] = ()
    """For the other algorithms: public keys as JSON Web Keys."""
    key_set_url: str = ""
    """Instead of `keys`: the address of the issuer's JSON Web Key Set."""
    prefix: str = ""
    """It precedes `sub` in the id of a person, so that two issuers cannot speak for each other's persons."""

    def __post_init__(self) -> None:
        """Check what a decoder cannot."""
        for name in ("issuer", "audience"):
            if not getattr(self, name):
                raise ValueError(f"{name}: expected the value that the tokens have")
        if self.prefix and not (self.prefix.isascii() and self.prefix.isprintable() and len(self.prefix) <= 32):
            raise ValueError("prefix: expected at most 32 printable ASCII characters")
        if self.prefix.startswith("#"):
            raise ValueError("prefix: # begins the id of a room")
        if self.algorithm == "HS256":
            self._check_secrets()
        else:
            self._check_keys(KEY_TYPES[self.algorithm])

    def _check_secrets(self) -> None:
        if self.keys or self.key_set_url:
            raise ValueError("keys, key_set_url: HS256 has `secrets` only")
        if not self.secrets:
            raise ValueError("secrets: HS256 needs one")
        if any(len(secret.encode()) < _SECRET_BYTES for secret in self.secrets):
            raise ValueError(f"secrets: each needs at least {_SECRET_BYTES} bytes")

    def _check_keys(self, wanted: KeyType) -> None:
        if self.secrets:
            raise ValueError(f"secrets: {self.algorithm} has `keys` or `key_set_url`")
        if bool(self.keys) == bool(self.key_set_url):
            raise ValueError(f"keys, key_set_url: {self.algorithm} needs one of them")
        for key in self.keys:
            if "d" in key:
                raise ValueError("keys: a private key; only the public one belongs here")
            if not is_of(key, wanted):
                raise ValueError(f"keys: {self.algorithm} needs keys of the type {' '.join(filter(None, wanted))}")
        if self.key_set_url and not is_safe(self.key_set_url):
            raise ValueError("key_set_url: expected an address with https://")


def check_issuers(issuers: Sequence[Issuer]) -> None:
    """Raise ValueError unless there are issuers, with different names and different prefixes."""
    if not issuers:
        raise ValueError("issuers: expected at least one")
    for name in ("issuer", "prefix"):
        values = [getattr(each, name) for each in issuers]
        if len(set(values)) < len(values):
            raise ValueError(f"issuers: two have the same `{name}`")


def is_of(key: Mapping[str, Any], wanted: KeyType) -> bool:
    """Whether a JSON Web Key has that type."""
    return key.get("kty") == wanted.kty and (not wanted.crv or key.get("crv") == wanted.crv)


def is_safe(url: str) -> bool:
    """Whether nobody between here and `url` can read or change what is sent: TLS, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )
