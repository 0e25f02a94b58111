"""Mentions in received messages (Feishu docs: Receive message, `mentions`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

from parley.model import AnySegment, Markdown, Mention, Text
from parley.untrusted import array, mapping, scalar

EVERYBODY = Mention(id="all")
_EVERYBODY = frozenset({"@_all", "all"})
_MAX_KEY = 40
"""Characters of a placeholder. Feishu's have about ten; the limit keeps the search linear for any input."""
_AT_TAG = re.compile(r"<at\s{1,9}(?:user_)?id=[\"']?([^\"'<>\s]{1,128})[\"']?\s{0,9}>([^<>]{0,256})</at>")
"""A mention in received markdown. Bots send it in this form; that Feishu passes it on unchanged is unverified."""


class Mentions(NamedTuple):
    """The mentions in a message."""

    by_key: Mapping[str, Mention]
    """By placeholder (`@_user_1`). `@_all` needs no entry in the message (unverified)."""
    lengths: tuple[int, ...]
    """The lengths of the placeholders that are searched, the longest first."""
    bot_ids: frozenset[str]
    """The ids of this bot among them."""
    of_bot: bool | UnsetType
    """Whether this bot is among them; UNSET if the message does not say it."""

    @classmethod
    def of(cls, mentions: Any, bot_open_id: str) -> "Mentions":
        """From `message.mentions`. Without `bot_open_id`, every mentioned bot counts as this one.

        A bot needs an extra permission to receive messages that mention other bots only. Older events do not say which
        mentions are of bots.
        """
        by_key: dict[str, Mention] = {"@_all": EVERYBODY}
        bot_ids: set[str] = set()
        unknown = False
        for entry in array(mentions):
            fields = mapping(entry)
            key = scalar(fields.get("key"))
            if not key:
                continue
            id_ = user_id(fields.get("id"))
            if key in _EVERYBODY or id_ in _EVERYBODY:
                by_key[key] = EVERYBODY
                continue
            bot = fields.get("mentioned_type") == "bot" or (id_ != "" and id_ == bot_open_id)
            mention = Mention(id=id_ or key, name=scalar(fields.get("name")), bot=bot)
            by_key[key] = mention
            unknown = unknown or not (bot_open_id or scalar(fields.get("mentioned_type")))
            if mention.id == bot_open_id if bot_open_id else bot:
                bot_ids.add(mention.id)
        lengths = sorted({length for length in map(len, by_key) if length <= _MAX_KEY}, reverse=True)
        return cls(by_key, tuple(lengths), frozenset(bot_ids), bool(bot_ids) or (UNSET if unknown else False))

    def element(self, key: str, name: str) -> Mention | None:
        """The mention of an `at` element; None if it names nobody."""
        if key in _EVERYBODY:
            return EVERYBODY
        return self.by_key.get(key) or (Mention(id=key, name=name) if key else None)

    def in_text(self, raw: str) -> list[AnySegment]:
        """`raw` with its placeholders (`@_user_1`) as mentions. The longest key that matches wins."""
        return self._split(raw, Text)

    def in_markdown(self, raw: str) -> Iterator[AnySegment]:
        """The same for markdown, where a mention may also be a tag."""
        start = 0
        for tag in _AT_TAG.finditer(raw):
            yield from self._split(raw[start : tag.start()], Markdown)
            yield self.element(tag[1], tag[2]) or Text(text="")
            start = tag.end()
        yield from self._split(raw[start:], Markdown)

    def _split(self, raw: str, plain: type[Text | Markdown]) -> list[AnySegment]:
        found: list[AnySegment] = []
        start, at = 0, raw.find("@")
        while at >= 0:
            end = at + 1
            for length in self.lengths:
                mention = self.by_key.get(raw[at : at + length])
                if mention is not None:
                    found += (plain(text=raw[start:at]), mention)
                    start = end = at + length
                    break
            at = raw.find("@", end)
        found.append(plain(text=raw[start:]))
        return found


NO_MENTIONS = Mentions.of((), "")


def user_id(value: Any) -> str:
    """The open id of `{open_id, union_id, user_id}`; else the union id, else the user id. A string is itself the id."""
    if isinstance(value, str):
        return value
    ids = mapping(value)
    return scalar(ids.get("open_id")) or scalar(ids.get("union_id")) or scalar(ids.get("user_id"))
