"""Ed25519 signatures. docs/decisions/ed25519.md explains this implementation. Only the callback function imports it."""

import re
from functools import lru_cache
from typing import Any

from Crypto.Signature import eddsa

_SIGNATURE = re.compile(r"[0-9a-fA-F]{128}")


def is_valid(public_key: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether `signature` (hex) over timestamp and body was made with the private key of `public_key` (hex).

    Discord docs: Interactions › Overview › Setting up an Endpoint. Never raises.
    """
    if not _SIGNATURE.fullmatch(signature):
        return False
    try:
        _verifier(public_key).verify(timestamp.encode("utf-8", "surrogatepass") + body, bytes.fromhex(signature))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=32)
def _verifier(public_key: str) -> Any:
    return eddsa.new(eddsa.import_public_key(bytes.fromhex(public_key)), "rfc8032")
