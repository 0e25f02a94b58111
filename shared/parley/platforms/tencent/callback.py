"""Which callbacks are believed, and what is in them."""

from collections.abc import Collection
from dataclasses import dataclass

from parley.adapter import Rejected, Request
from parley.crypto import constant_time_equals
from parley.platforms.tencent import envelope
from parley.platforms.tencent.envelope import Decrypted, WrongReceiverError
from parley.platforms.tencent.fields import Fields, integer, read

MAX_AGE = 3600
"""Seconds. Neither platform documents a window. Both repeat a callback at most three times, five seconds apart, so an
hour is far wider than that and forgives a clock; and what was handled is remembered for days, so that whatever is
replayed within the hour is a known duplicate."""
MAX_AHEAD = 300
"""Seconds that a clock may be wrong."""


@dataclass(frozen=True, slots=True)
class Console:
    """Where the console shows what has to agree with the configuration. For the log, never for the caller."""

    token: str
    key: str
    receiver: str
    id: str
    """Name of the field of the configuration that `receiver` has to agree with."""


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What a callback has to fit: the token, the EncodingAESKeys (the newest first), the ids it may be for."""

    token: str
    keys: tuple[str, ...]
    receivers: Collection[str]
    console: Console


def query_parameter(request: Request, name: str) -> str:
    """The query parameter `name`; empty where it is missing."""
    return request.query.get(name, "")


def check_signature(request: Request, door: CallbackKeys, name: str, *signed_parts: str, now: float) -> Rejected | None:
    """Why the signature in the parameter `name`, over time, nonce and `signed_parts`, is not believed; None if it is."""
    timestamp, nonce = query_parameter(request, "timestamp"), query_parameter(request, "nonce")
    if not constant_time_equals(
        query_parameter(request, name), envelope.signature(door.token, timestamp, nonce, *signed_parts)
    ):
        return Rejected(401, "forged", f"{name} does not hold: compare `token` with {door.console.token}")
    stamp = integer(timestamp)
    if stamp is None or not now - MAX_AGE <= stamp <= now + MAX_AHEAD:
        return Rejected(401, "stale", f"the timestamp is more than {MAX_AGE} s old or ahead of the clock")
    return None


def decrypted(request: Request, door: CallbackKeys, encrypted: str, now: float) -> Decrypted | Rejected:
    """The decrypted content of a callback whose `msg_signature` holds, or why it is not believed."""
    refused = check_signature(request, door, "msg_signature", encrypted, now=now)
    if refused is not None:
        return refused
    try:
        return envelope.decrypt_for(door.receivers, door.keys, encrypted)
    except WrongReceiverError:
        detail = f"it is meant for another account: compare `{door.console.id}` with {door.console.receiver}"
    except ValueError:
        detail = f"it does not decrypt: compare `encoding_aes_key` with {door.console.key}"
    return Rejected(401, "forged", detail)


def parsed(data: bytes) -> Fields | Rejected:
    """The fields of a body, or why it has none."""
    try:
        return read(data)
    except ValueError as error:
        return Rejected(400, "malformed", str(error))
