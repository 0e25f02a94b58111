"""Removes a person from stored messages, replies and plans: only ids, names and what people read or write change."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import msgspec

from parley.journal.rows import patched
from parley.journal.strings import STRINGS
from parley.journal.table import name_pk
from parley.model import Destination, Mention, Outgoing, Reply, Sender, person_key
from parley.model.codec import encode
from parley.platforms import is_same_person

MASK = "[forgotten]"
"""Stands where an id or a name of a forgotten person stood."""
_LETTER = "[0-9A-Z_a-z\u00c0-\u024f\u0370-\u052f]"
"""A digit, an underscore, or a Latin, Greek or Cyrillic letter."""


class Subject(msgspec.Struct, frozen=True):
    """A person of an app, by the platform's id. `direct`: the ids and keys of the direct chats with the person.
    `spellings`: other ways in which rows write the id; see `parley.platforms.is_same_person`.
    """

    platform: str
    app: str
    person: str
    direct: frozenset[str] = frozenset()
    spellings: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The key of the person; see `person_key`."""
        return person_key(self.platform, self.app, self.person)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the person, by all spellings."""
        return frozenset(person_key(self.platform, self.app, each) for each in {self.person, *self.spellings})

    def is_of(self, platform: str, app: str) -> bool:
        """Whether `platform` and `app` are those of the person."""
        return (platform, app) == (self.platform, self.app)

    def has_id(self, id_: str) -> bool:
        """Whether `id_` is that of the person."""
        return is_same_person(self.platform, id_, self.person)

    def id_in_name(self, pk: str) -> str:
        """The id in the key `pk` of a person's name; empty if it is another key, or that of another app."""
        own = name_pk(self.platform, self.app, "")
        return pk.removeprefix(own) if pk.startswith(own) else ""

    def spelled_in(self, stored: str) -> frozenset[str]:
        """The ways in which strings of the JSON `stored` write the id."""
        if not self.may_be_in(stored):
            return frozenset()
        return frozenset(filter(self.has_id, _strings(msgspec.json.decode(stored))))

    def is_word_in(self, text: str) -> bool:
        """Whether the id of the person is a word of `text`."""
        return pattern([self.person]).search(text) is not None

    def is_in(self, stored: str) -> bool:
        """Whether a string of the JSON `stored` has the id of the person as a word."""
        return self.may_be_in(stored) and any(map(self.is_word_in, _strings(msgspec.json.decode(stored))))

    def has_sent(self, message: str) -> bool:
        """Whether the person is the sender of `message`, which is JSON."""
        return self.has_id(_decode_sent(message).sender.id)

    def mask(self, stored: str, kind: Any) -> str | None:
        """The JSON `stored` of the type `kind` without the id of the person, and without the names that stand beside
        it: see `parley.journal.strings`. None if nothing of them is in it. Raises ValueError if this version cannot
        read it.
        """
        if not self.may_be_in(stored):
            return None
        found = msgspec.json.decode(stored, type=kind)
        masked = _Mask(self, _names(found, self)).without(found)
        if masked == found:
            return None
        left = patched(stored, found, masked)
        msgspec.json.decode(left, type=kind)
        return left

    def may_be_in(self, stored: str) -> bool:
        """Whether `stored` holds the id of the person, possibly within another word."""
        forms = {self.person, encode(self.person).decode()[1:-1]}
        return any(form.casefold() in stored.casefold() for form in forms)

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
    """Matches each of `words` that stands alone, in any case: `lin` matches `Lin` and the end of `I ask lin.`, and not
    a part of `line`, `lin.wang`, `lin@example.com` or `lin-2`. Scripts without spaces have no ends of words.
    """
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    words_end = rf"(?<!{_LETTER})(?<!{_LETTER}[.@-])(?:{'|'.join(map(re.escape, longest_first))})(?![.@-]?{_LETTER})"
    return re.compile(words_end, re.IGNORECASE)


class _Sent(msgspec.Struct, frozen=True):
    """The part of a message that says who has sent it."""

    sender: Sender


_decode_sent = msgspec.json.Decoder(_Sent).decode


class _Mask:
    """Replaces `subject` and the `names` of the person in a document."""

    def __init__(self, subject: Subject, names: Iterable[str]) -> None:
        self.subject = subject
        self.id = pattern([subject.person])
        self.words = pattern([subject.person, *names])

    def without(self, document: Any) -> Any:
        """`document`, a Struct or several, without the person."""
        match document:
            case msgspec.Struct():
                fields = document.__struct_fields__
                changed = {name: self._field(document, name) for name in fields}
                return msgspec.structs.replace(document, **changed)
            case tuple():
                return tuple(map(self.without, cast("tuple[Any, ...]", document)))
            case dict():
                return {key: self.without(value) for key, value in cast("dict[str, Any]", document).items()}
            case _:
                return document

    def _field(self, struct: msgspec.Struct, name: str) -> Any:
        strings, value = STRINGS[type(struct)], getattr(struct, name)
        if name in strings.ids:
            return "|".join(MASK if self.subject.has_id(each) else each for each in value.split("|"))
        if name in strings.texts:
            return _replaced(value, self.words)
        if name in strings.values:
            return _by_name(value, self._value)
        if name in strings.json and value:
            return encode(_by_name(msgspec.json.decode(value), self._value)).decode()
        return value if name in strings.structure else self.without(value)

    def _value(self, value: Any) -> Any:
        """A value of the bot, of any shape. A key is masked only if it is the id."""
        match value:
            case str():
                return self.id.sub(MASK, value)
            case dict():
                items = cast("dict[str, Any]", value).items()
                return {MASK if self.subject.has_id(key) else key: self._value(each) for key, each in items}
            case list():
                return [self._value(each) for each in cast("list[Any]", value)]
            case _:
                return value


def _by_name(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` after `change`; if it is a dict, each of its values: its keys are names that the bot has chosen."""
    if isinstance(value, dict):
        return {key: change(each) for key, each in cast("dict[str, Any]", value).items()}
    return change(value)


def _replaced(value: Any, words: re.Pattern[str]) -> Any:
    """A text, or the texts in a dict or tuple, with MASK in place of `words`."""
    match value:
        case str():
            return words.sub(MASK, value)
        case tuple():
            return tuple(_replaced(each, words) for each in cast("tuple[Any, ...]", value))
        case dict():
            return {key: _replaced(each, words) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _names(document: Any, subject: Subject) -> Iterator[str]:
    """The names of the person in `document`: of senders and mentions with the id."""
    match document:
        case Sender(id=id_, name=name) | Mention(id=id_, name=name):
            if subject.has_id(id_):
                yield name
        case msgspec.Struct():
            for field in document.__struct_fields__:
                yield from _names(getattr(document, field), subject)
        case tuple():
            for value in cast("tuple[Any, ...]", document):
                yield from _names(value, subject)
        case dict():
            for value in cast("dict[str, Any]", document).values():
                yield from _names(value, subject)
        case _:
            return


def _strings(document: Any) -> Iterator[str]:
    """All strings in JSON, with the keys."""
    match document:
        case str():
            yield document
        case dict():
            for key, value in cast("dict[str, Any]", document).items():
                yield key
                yield from _strings(value)
        case list():
            for value in cast("list[Any]", document):
                yield from _strings(value)
        case _:
            return
