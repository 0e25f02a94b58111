"""Authenticates callbacks: checks the signature, decrypts the content, reads its fields."""

import re
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass

from parley.adapter import Accepted, Rejected, Request, Response
from parley.crypto import constant_time_equals
from parley.platforms.tencent import envelope
from parley.platforms.tencent.envelope import Decrypted, NotUtf8Error, WrongReceiverError
from parley.platforms.tencent.fields import Fields, read
from parley.untrusted import parse_integer, text

MAX_AGE = 3600
"""Seconds. Neither platform documents a limit. Both repeat a callback at most three times, five seconds apart. An hour
is far more than that and tolerates a wrong clock. A replay within the hour is a known duplicate, because handled
messages are remembered for days."""
MAX_AHEAD = 300
"""Seconds that a time stamp may be ahead of the clock."""
MAX_CONTENT_AGE = 86_400
"""Seconds between the creation of a message or event and its callback. The signature sorts its parts, so it is valid as
well if time stamp and nonce are exchanged, and the nonce of an old callback may look like a recent time stamp. The time
in the content cannot be exchanged. A day tolerates a platform that delivers late; a replay within the day is a known
duplicate, because handled messages are remembered for longer."""
_ECHO = re.compile(r"[A-Za-z0-9 ._:+/=-]{1,128}")
"""The text that a console expects back. All known ones are numbers; the docs give no form (unverified)."""


@dataclass(frozen=True, slots=True)
class Console:
    """Where the console shows the values that have to match the configuration. For the log, never for the caller."""

    token: str
    key: str
    receiver: str
    receiver_field: str
    """The field of the configuration that has to match `receiver`."""


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What authenticates a callback.

    `keys`: the EncodingAESKeys, the newest first. `receivers`: the ids that a callback may be addressed to.
    """

    token: str
    keys: tuple[str, ...]
    receivers: Container[str]
    console: Console


def query_parameter(request: Request, name: str) -> str:
    """The query parameter `name`, empty if it is missing."""
    return request.query.get(name, "")


def check_signature(
    request: Request, keys: CallbackKeys, parameter: str, *signed_parts: str, now: float
) -> Rejected | None:
    """Check the signature in the query parameter `parameter`, over the token, time stamp, nonce and `signed_parts`.

    Returns None if it is valid and recent.
    """
    timestamp, nonce = query_parameter(request, "timestamp"), query_parameter(request, "nonce")
    expected = envelope.signature(keys.token, timestamp, nonce, *signed_parts)
    if not constant_time_equals(query_parameter(request, parameter), expected):
        return Rejected(401, "forged", f"{parameter} is not valid: compare `token` with {keys.console.token}")
    seconds = parse_integer(timestamp)
    if seconds is None or not now - MAX_AGE <= seconds <= now + MAX_AHEAD:
        return Rejected(401, "stale", f"the timestamp is over {MAX_AGE} s old or over {MAX_AHEAD} s ahead of the clock")
    return None


def decrypted(request: Request, keys: CallbackKeys, encrypted: str, now: float) -> Decrypted | Rejected:
    """Decrypt the content of a callback, after checking its `msg_signature`."""
    rejected = check_signature(request, keys, "msg_signature", encrypted, now=now)
    if rejected is not None:
        return rejected
    console = keys.console
    try:
        return envelope.decrypt_for(keys.receivers, keys.keys, encrypted)
    except NotUtf8Error as error:
        return Rejected(400, "malformed", str(error))
    except WrongReceiverError:
        detail = f"addressed to another account: compare `{console.receiver_field}` with {console.receiver}"
    except ValueError:
        detail = f"cannot be decrypted: compare `encoding_aes_key` with {console.key}"
    return Rejected(401, "forged", detail)


def verification(
    request: Request, keys: CallbackKeys, now: float, is_echo: Callable[[str], bool]
) -> Accepted | Rejected:
    """The response to WeCom's console, which checks a new callback address. It expects the decrypted text of `echostr`
    and nothing else. `is_echo`: whether a text can be one, and not the content of a callback.
    """
    # Base64 contains no spaces. A space is a plus sign that was decoded twice on the way.
    encrypted = query_parameter(request, "echostr").replace(" ", "+")
    echo = decrypted(request, keys, encrypted, now)
    if isinstance(echo, Rejected):
        return echo
    if not is_echo(echo.text):
        return Rejected(401, "forged", "the echostr is the content of another callback")
    return Accepted(Response(body=echo.text.encode(), content_type="text/plain"))


def parsed(data: bytes) -> Fields | Rejected:
    """The fields of a body or of decrypted content; a rejection if they cannot be read."""
    try:
        return read(data)
    except ValueError as error:
        return Rejected(400, "malformed", str(error))


def check_age(fields: Fields, now: float) -> Rejected | None:
    """Check the time in the content of a callback. Returns None if it is recent, or if there is none."""
    created = parse_integer(fields.get("CreateTime")) or parse_integer(fields.get("TimeStamp"))
    if created and created < now - MAX_CONTENT_AGE:
        return Rejected(401, "stale", f"the content is over {MAX_CONTENT_AGE} s old")
    return None


def is_echo(value: str) -> bool:
    """Whether `value` has the form of the text that a console expects back. The content of a callback has not."""
    return _ECHO.fullmatch(value) is not None


def is_from_account(fields: Fields, accounts: Collection[str]) -> bool:
    """Whether the sender is one of `accounts`: the bot's own passive reply, posted back."""
    return text(fields.get("FromUserName")) in accounts
