"""JSON Web Tokens (RFC 7519) in the header `Authorization: Bearer` (RFC 6750): who sends a request.

This module imports PyJWT and cryptography, which are in the layer of the functions that check tokens and in no other:
import it inside of a function.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jwt
import msgspec

from parley.errors import ParleyError
from parley.issuers import KEY_TYPES, Issuer, is_of
from parley.untrusted import array, mapping, mappings, text

LEEWAY = 60
"""Seconds by which the clock of an issuer may differ from ours."""
MAX_TOKEN = 8192
"""Characters of a token. API Gateway takes 10,240 bytes of headers."""
_RSA_BITS = 2048
_CHECKS = {
    "verify_exp": False,  # `_check_time` checks the times: PyJWT reads the clock of the machine
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "sub"],
}


class TokenError(ParleyError):
    """The token is refused. The message says why, for the log, and holds nothing of the token."""


class StaleTokenError(TokenError):
    """The token has expired, or is not valid yet."""


class Header(msgspec.Struct, frozen=True):
    """What a token says about its signature, before anything of it is verified."""

    issuer: Issuer
    kid: str


def token_in(authorization: str) -> str:
    """The token of the header `Authorization`. Raises TokenError if there is none."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenError("no token: the header Authorization is not `Bearer TOKEN`")
    return token.strip()


def header_of(token: str, issuers: Sequence[Issuer]) -> Header:
    """The issuer that the token names, and its key. Nothing is verified yet. Raises TokenError."""
    if len(token) > MAX_TOKEN:
        raise TokenError("the token is too long")
    try:
        found = jwt.decode_complete(token, options={"verify_signature": False})
        header, payload = mapping(found["header"]), mapping(found["payload"])
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as error:
        raise TokenError("not a JSON Web Token") from error
    issuer = next((each for each in issuers if each.issuer == payload.get("iss")), None)
    if issuer is None:
        raise TokenError("no issuer of the configuration has the claim iss")
    if header.get("alg") != issuer.algorithm:
        raise TokenError(f"not signed with {issuer.algorithm}: compare `algorithm`")
    return Header(issuer, text(header.get("kid")))


def claims_of(token: str, header: Header, keys: Iterable[Mapping[str, Any]], now: float) -> dict[str, Any]:
    """The claims of `token`, all of them verified. `keys`: the JSON Web Keys of its issuer, if it has a key set.

    Raises TokenError, StaleTokenError.
    """
    issuer = header.issuer
    problem = "the issuer has no key of that `kid` and type"
    for key in _keys(issuer, header.kid, keys):
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[issuer.algorithm],
                audience=issuer.audience,
                issuer=issuer.issuer,
                options=_CHECKS,  # pyright: ignore[reportArgumentType]
            )
        except jwt.InvalidSignatureError:
            problem = "the signature does not match: compare the keys of the issuer"
            continue
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            # The names of the exceptions say which claim is wrong, and hold nothing of the token.
            raise TokenError(f"refused: {type(error).__name__}") from error
        _check_time(claims, now)
        return claims
    raise TokenError(problem)


def _keys(issuer: Issuer, kid: str, key_set: Iterable[Mapping[str, Any]]) -> Iterable[Any]:
    """The keys that may have signed, as PyJWT takes them: one by its `kid`, or the only one of its type."""
    if issuer.algorithm == "HS256":
        yield from issuer.secrets
        return
    wanted = KEY_TYPES[issuer.algorithm]
    usable = [key for key in (issuer.keys or key_set) if is_of(key, wanted) and _is_to_verify(key, issuer.algorithm)]
    named = [key for key in usable if text(key.get("kid")) == kid] if kid else usable
    if not kid and len(named) > 1:
        raise TokenError("no `kid`, and the issuer has several keys")
    for key in named:
        try:
            found: Any = jwt.PyJWK(dict(key), algorithm=issuer.algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        if wanted.kty != "RSA" or found.key_size >= _RSA_BITS:
            yield found


def _is_to_verify(key: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key of a key set is there to verify signatures of that algorithm."""
    operations = array(key.get("key_ops"))
    return (
        key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (not operations or "verify" in operations)
        and "d" not in key
    )


def _check_time(claims: Mapping[str, Any], now: float) -> None:
    """Raise StaleTokenError unless the token is valid at `now`; TokenError if a time is not a number."""
    expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise TokenError("the claim exp is missing")
    if now >= expires + LEEWAY:
        raise StaleTokenError("the token has expired")
    if any(time is not None and now < time - LEEWAY for time in (begins, issued)):
        raise StaleTokenError("the token is not valid yet: compare the clocks")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenError(f"the claim {name} is not a number")
    return value


def keys_in(key_set: Any) -> list[dict[str, Any]]:
    """The keys of a JSON Web Key Set (RFC 7517). Empty if it is none."""
    return mappings(mapping(key_set).get("keys"))
