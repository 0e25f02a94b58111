"""Who sends a request, and the rooms that they may use, as their token says."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from parley.adapter import App, Bucket, KeySet, Rejected, Request
from parley.issuers import Issuer
from parley.model import digest
from parley.platforms.http.config import Config
from parley.untrusted import text, texts

ROOM = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""The form of a room's name: every character can stand in a path."""
DIRECT = "me"
"""Stands in a path for the direct chat of the person with the bot. No room has this name."""
_MARK = "#"
"""Begins the id of a room, and the id of no person: a room cannot be the direct chat of a person."""
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half of an emoji, which cannot be stored."""
_MAX_NAME = 200


class Person(msgspec.Struct, frozen=True):
    """The person of a token. `rooms`: the names of the rooms that they may use. `until`: the Unix second at which the
    token is accepted no more.
    """

    id: str
    name: str
    rooms: frozenset[str]
    until: int = 0

    @property
    def mark(self) -> str:
        """The beginning of the ids of their messages, of 16 hex digits."""
        return mark_of(self.id)


def mark_of(person: str) -> str:
    """The beginning of the ids of what the person with that id has sent, of 16 hex digits."""
    return digest(person)[:16]


def message_id(person: Person, room: str, key: str) -> str:
    """The id of a message, of 48 hex digits: the same for each request of the person with this idempotency key and
    room. It says whose message it is.
    """
    return person.mark + digest(person.id, room, key)[:32]


def limits(person: Person, app: App) -> tuple[Bucket, ...]:
    """The rate limit of what the person stores: messages, tickets and media together."""
    config: Config = app.config
    return (Bucket(f"{app.platform}#{app.name}#{person.id}", config.requests_per_minute, 60),)


def room_id(room: str) -> str:
    """The id of the room with that name; empty for the direct chat."""
    return f"{_MARK}{room}" if room else ""


def room_of(room_id: str) -> str:
    """The name of the room with that id."""
    return room_id.removeprefix(_MARK)


def key_set(request: Request, app: App) -> KeySet | None:
    """See `parley.adapter.UsesKeySets`: the key set of the issuer that the token names."""
    from parley.bearer import TokenError, header_of, token_in  # noqa: PLC0415  # see there

    config: Config = app.config
    try:
        header = header_of(token_in(request.headers.get("Authorization", "")), config.issuers)
    except TokenError:
        return None
    return KeySet(header.issuer.key_set_url, header.kid) if header.issuer.key_set_url else None


def person_of(request: Request, app: App, now: float) -> Person | Rejected:
    """The person whose token `request` has."""
    from parley.bearer import (  # noqa: PLC0415  # see there
        LEEWAY,
        StaleTokenError,
        TokenError,
        claims_of,
        header_of,
        keys_in,
        token_in,
    )

    config: Config = app.config
    try:
        token = token_in(request.headers.get("Authorization", ""))
        header = header_of(token, config.issuers)
        claims = claims_of(token, header, keys_in(request.key_set), now)
    except StaleTokenError as error:
        return Rejected(401, "stale", str(error))
    except TokenError as error:
        return Rejected(401, "forged", str(error))
    return _person(claims, header.issuer, config.issuers, int(claims["exp"]) + LEEWAY)


def _person(claims: dict[str, Any], issuer: Issuer, issuers: Sequence[Issuer], until: int) -> Person | Rejected:
    subject = text(claims.get("sub"))
    if not _SUBJECT.fullmatch(subject):
        return Rejected(401, "forged", "the claim sub is empty, too long, or has characters that cannot be stored")
    id_ = issuer.prefix + subject
    # An id with the prefixes of two issuers is that of the longer one.
    if any(id_.startswith(other.prefix) and len(other.prefix) > len(issuer.prefix) for other in issuers):
        return Rejected(401, "forged", "the claim sub begins with the prefix of another issuer")
    if id_.startswith(_MARK):
        return Rejected(401, "forged", f"the claim sub begins with {_MARK}, as the ids of rooms do")
    rooms = frozenset(room for room in texts(claims.get("rooms")) if ROOM.fullmatch(room) and room != DIRECT)
    name = _LONE_SURROGATE.sub("\ufffd", text(claims.get("name")))
    return Person(id_, name[:_MAX_NAME], rooms, until)
