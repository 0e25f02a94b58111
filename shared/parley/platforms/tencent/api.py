"""Reads the answers of both APIs. They return HTTP 200 and an `errcode`; only the codes differ."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    Auth,
    Call,
    Outcome,
    Permanent,
    Sent,
    Token,
    TokenRejected,
    TokenUnavailableError,
    Transient,
    Unknown,
)
from parley.errors import RetryAfter

AUTH = Auth("query", "access_token")
TOKEN_CODES = frozenset({40014, 42001, 41001})
"""Codes of both platforms for a token that is invalid, expired or missing."""
FORM_CODES = frozenset(
    {
        40004,  # media type
        40005,  # file type
        40006,  # media size
        40007,  # media id
        40008,  # message type
        40009,  # image size
        40033,  # characters
        45001,  # media too large
        45002,  # text too long
        45003,  # title too long
        45004,  # description too long
        45007,  # voice too long
        45008,  # too many articles
    }
)
"""Codes of both platforms for a message whose form is refused (`Codes.form`)."""
_MAX_REASON = 200


class Codes(NamedTuple):
    """The error codes of one platform, by meaning. Every other code is a permanent failure."""

    token: frozenset[int]
    """The access token is refused."""
    limited: Mapping[int, float]
    """A rate limit or a quota is exceeded. The values are the seconds to wait."""
    transient: frozenset[int]
    """A later attempt may succeed."""
    form: frozenset[int]
    """The form or its media are refused. Plain text may be accepted."""
    done: frozenset[int] = frozenset()
    """The same call has succeeded before."""
    window_closed: frozenset[int] = frozenset()
    """The platform allows no message to this person until they write again, or it refuses every call of this app."""
    hints: Mapping[int, str] = {}
    """The operator's remedy for an error code."""


def errcode(body: Mapping[str, Any]) -> int:
    """The `errcode` of an answer, 0 if there is none. Calls that return data have one only if they fail."""
    code = body.get("errcode", 0)
    if isinstance(code, str) and code.lstrip("-").isdecimal():
        return int(code)
    return code if isinstance(code, int) else 0


def reason(body: Mapping[str, Any], codes: Codes) -> str:
    """The code, the platform's message, and the hint for the operator if there is one."""
    code = errcode(body)
    hint = codes.hints.get(code, "")
    return f"{code} {body.get('errmsg', '')}"[:_MAX_REASON] + (f": {hint}" if hint else "")


def outcome(answer: Answer, codes: Codes, call: Call | None = None) -> Outcome:
    """The outcome of `call` that `answer` reports. Refused media cost a reply only the media."""
    found = _outcome(answer, codes)
    if call is not None and call.upload is not None and isinstance(found, Permanent) and not found.window_closed:
        return replace(found, part="media")
    return found


def _outcome(answer: Answer, codes: Codes) -> Outcome:
    body = answer.json()
    if not body or ("errcode" not in body and answer.status != 200):
        return _without_code(answer)
    code = errcode(body)
    if code == 0 or code in codes.done:
        return Sent(id=_id(body))
    why = reason(body, codes)
    if code in codes.token:
        return TokenRejected(why)
    if code in codes.limited:
        return RetryAfter(codes.limited[code], why)
    if code in codes.transient:
        return Transient(why)
    return Permanent(
        why,
        part="form" if code in codes.form else "",
        window_closed=code in codes.window_closed,
    )


def _id(body: Mapping[str, Any]) -> str:
    for name in ("msgid", "media_id", "thumb_media_id"):
        if value := body.get(name):
            return str(value)
    return ""


def _without_code(answer: Answer) -> Outcome:
    """The outcome of an answer without an `errcode`: a gateway's error page, or an empty body."""
    why = f"HTTP {answer.status} without an errcode"
    if answer.status == 429:
        return RetryAfter(60, why)
    if 400 <= answer.status < 500 and answer.status != 408:
        return Permanent(why)
    return Unknown(why)


def read_token(answer: Answer, codes: Codes, settings: Mapping[int, str], now: float) -> Token:
    """The token in `answer`.

    `settings`: for each code that only a changed configuration cures, the setting to check. Raises
    TokenUnavailableError.
    """
    body = answer.json()
    value, lifetime, code = body.get("access_token"), body.get("expires_in"), errcode(body)
    if isinstance(value, str) and value and isinstance(lifetime, int) and code == 0:
        return Token(value, now + lifetime)
    if code in settings:
        raise TokenUnavailableError(f"{code} {str(body.get('errmsg', ''))[:_MAX_REASON]}: see {settings[code]}", None)
    seconds = codes.limited.get(code, 2)
    raise TokenUnavailableError(reason(body, codes) if code else f"HTTP {answer.status} without a token", seconds)


def addresses(host: str) -> Call:
    """The call that lists the addresses from which callbacks come, for a firewall."""
    url = f"{host}/cgi-bin/getcallbackip"
    return Call(name="addresses", method="GET", url=url, auth=AUTH, idempotent_for=IDEMPOTENT)


def read_addresses(answer: Answer) -> tuple[str, ...]:
    """The CIDR blocks in the answer to `addresses`. A pattern such as `101.226.103.*` is a block of 256 addresses.

    Raises ValueError if there are none.
    """
    listed = answer.json().get("ip_list")
    found = [one for one in listed if isinstance(one, str) and one] if isinstance(listed, list) else []  # pyright: ignore[reportUnknownVariableType]
    if not found:
        raise ValueError("no ip_list in the answer")
    return tuple(_cidr(one) for one in found)


def _cidr(address: str) -> str:
    stars = address.count("*")
    if stars:
        return f"{address.replace('*', '0')}/{32 - 8 * stars}"
    if "/" in address:
        return address
    return f"{address}/{128 if ':' in address else 32}"
