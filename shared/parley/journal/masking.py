"""Removes a person from texts and JSON documents."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from parley.model import Destination, Outgoing, Reply, person_key
from parley.model.codec import encode

MASK = "[forgotten]"
"""Stands where an id or a name of a forgotten person stood."""


class Subject(msgspec.Struct, frozen=True):
    """A person of an app, by the platform's id. `direct`: the ids and keys of the direct chats with the person."""

    platform: str
    app: str
    person: str
    direct: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The key of the person; see `person_key`."""
        return person_key(self.platform, self.app, self.person)

    def is_of(self, platform: str, app: str) -> bool:
        """Whether `platform` and `app` are those of the person."""
        return (platform, app) == (self.platform, self.app)

    def has_id(self, id_: str) -> bool:
        """Whether `id_` is that of the person. Case does not count: WeCom ignores it."""
        return id_.casefold() == self.person.casefold()

    def is_in(self, value: str) -> bool:
        """Whether `value`, a text or JSON, holds the id of the person."""
        forms = {self.person, encode(self.person).decode()[1:-1]}
        return any(form.casefold() in value.casefold() for form in forms) and bool(pattern(forms).search(value))

    def has_sent(self, message: str) -> bool:
        """Whether the person is the sender of `message`, which is JSON."""
        return self.has_id(msgspec.json.decode(message)["sender"]["id"])

    def mask(self, stored: str) -> str | None:
        """The JSON `stored` without the id of the person, and without the names that stand beside it. None if it does
        not hold the id.
        """
        if not self.is_in(stored):
            return None
        document = msgspec.json.decode(stored)
        words = pattern([self.person, *_names(document, self.person)])
        masked = _masked(document, words)
        return None if masked == document else encode(masked).decode()

    def receives(self, to: Destination) -> bool:
        """Whether a reply to `to` is for the person alone, or answers a message of the person."""
        return self.is_of(to.platform, to.app) and (
            self.has_id(to.user_id) or to.room_id in self.direct or to.key in self.direct
        )

    def without_content(self, out: Outgoing) -> Outgoing:
        """A reply for the person, without all that it says and without the person. Its id and its place in the order
        stay.
        """
        room = "" if {out.to.room_id, out.to.key} & self.direct else out.to.room_id
        to = Destination(platform=out.to.platform, app=out.to.app, tenant=out.to.tenant, room_id=room)
        return msgspec.structs.replace(out, to=to, reply=Reply(), dropped=())


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Matches each of `words` that stands alone, in any case: `lin` matches `Lin`, and not `line`."""
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    alone = rf"(?<![0-9A-Za-z_-])(?:{'|'.join(map(re.escape, longest_first))})(?![0-9A-Za-z_-])"
    return re.compile(alone, re.IGNORECASE)


def _names(document: Any, person: str) -> Iterator[str]:
    """The names of the person in `document`: of senders and mentions with the id."""
    match document:
        case {"id": found, "name": str(name)} if found == person:
            yield name
        case dict():
            for value in cast("dict[str, Any]", document).values():
                yield from _names(value, person)
        case list():
            for value in cast("list[Any]", document):
                yield from _names(value, person)
        case _:
            return


def _masked(document: Any, words: re.Pattern[str]) -> Any:
    """`document` with MASK in place of `words`, in its values and in its keys."""
    match document:
        case str():
            return words.sub(MASK, document)
        case dict():
            items = cast("dict[str, Any]", document).items()
            return {words.sub(MASK, key): _masked(value, words) for key, value in items}
        case list():
            return [_masked(value, words) for value in cast("list[Any]", document)]
        case _:
            return document
