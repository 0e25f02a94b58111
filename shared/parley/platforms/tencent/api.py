"""What an answer of the API means. Both platforms answer HTTP 200 and an `errcode`; only the numbers differ."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from parley.adapter import (
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
_REASON = 200


class Codes(NamedTuple):
    """The numbers of one platform, by what they mean. Any other is a refusal for good."""

    token: frozenset[int]
    limited: Mapping[int, float]
    """With the seconds to wait."""
    transient: frozenset[int]
    form: frozenset[int]
    """It is the form or its media that are refused: words alone may still go through."""
    done: frozenset[int] = frozenset()
    """It had been done before."""
    window_closed: frozenset[int] = frozenset()
    """The person cannot be written to before they write again."""
    reply_token: frozenset[int] = frozenset()
    """What came with a click has been used up or is too old."""
    hints: Mapping[int, str] = {}
    """What to do about it, for the operator."""


def errcode(body: Mapping[str, Any]) -> int:
    """The code of an answer. Calls that return something carry one only when they fail."""
    code = body.get("errcode", 0)
    if isinstance(code, str) and code.lstrip("-").isdecimal():
        return int(code)
    return code if isinstance(code, int) else 0


def reason(body: Mapping[str, Any], codes: Codes) -> str:
    """The code, the platform's words, and what to do about it."""
    code = errcode(body)
    hint = codes.hints.get(code, "")
    return f"{code} {body.get('errmsg', '')}"[:_REASON] + (f": {hint}" if hint else "")


def outcome(call: Call, answer: Answer, codes: Codes) -> Outcome:
    """What `answer` means for `call`."""
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
        why, form=code in codes.form, window_closed=code in codes.window_closed, reply_token=code in codes.reply_token
    )


def _id(body: Mapping[str, Any]) -> str:
    for name in ("msgid", "media_id", "thumb_media_id"):
        if value := body.get(name):
            return str(value)
    return ""


def _without_code(answer: Answer) -> Outcome:
    """Not an answer of the API: a gateway's error page, or nothing at all."""
    why = f"HTTP {answer.status} without an errcode"
    if answer.status == 429:
        return RetryAfter(60, why)
    if 400 <= answer.status < 500 and answer.status != 408:
        return Permanent(why)
    return Unknown(why)


def read_token(answer: Answer, codes: Codes, wrong: Mapping[int, str], now: float) -> Token:
    """The token in `answer`. `wrong`: for the codes that only a change of the configuration cures, where to make it.

    Raises TokenUnavailableError.
    """
    body = answer.json()
    value, life, code = body.get("access_token"), body.get("expires_in"), errcode(body)
    if isinstance(value, str) and value and isinstance(life, int) and code == 0:
        return Token(value, now + life)
    if code in wrong:
        raise TokenUnavailableError(f"{code} {str(body.get('errmsg', ''))[:_REASON]}: see {wrong[code]}", None)
    after = codes.limited.get(code, 2)
    raise TokenUnavailableError(reason(body, codes) if code else f"HTTP {answer.status} without a token", after)


def addresses(answer: Answer) -> tuple[str, ...]:
    """The callback sources in an answer to `getcallbackip`, as CIDR blocks. Patterns such as `101.226.103.*` are blocks
    of 256. Raises ValueError if there is none.
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
