"""Ids and signatures in hexadecimal."""

import hashlib


def stable_hex(*parts: str, digits: int = 32) -> str:
    """Hex digits that are the same for the same parts, in every run."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:digits]


def flip_first_digit(digest: str) -> str:
    """A signature that is wrong in its first digit."""
    return ("1" if digest[:1] == "0" else "0") + digest[1:]
