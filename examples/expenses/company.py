"""The settings of the bot: who approves what, where, and the accounting service."""

from decimal import Decimal
from typing import Annotated

import msgspec

from parley.bot import Secret, Settings, texts_for
from parley.model import Destination, Message
from words import LANGUAGES, Words

LIN = ("ou_4a2dea5b58a100c8089a913a092188d1", "1026416728193433859", "Lin", "o8a72434b08d5547912ad95ea914", "lin")
ANA = ("ou_cc3a08be0c5b0597269d9aedca82adb5", "1027478751932601260", "Ana", "o7cc8b05d64f0d7a768adc6073ff", "ana")
"""Lin Mei and Ana Ruiz on the local page: on Feishu, Discord, WeCom, WeChat and HTTP."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A level of approval, for amounts above `above`. `people` are the ids of those who may approve, in `rooms`."""

    role: str
    above: Decimal
    people: tuple[str, ...]
    rooms: Annotated[tuple[Destination, ...], msgspec.Meta(min_length=1)]

    def room(self, message: Message) -> Destination:
        """Where an expense of the sender of `message` is approved: in the same app if this level has a room there."""
        here = (room for room in self.rooms if (room.platform, room.app) == (message.platform, message.app))
        return next(here, self.rooms[0])


def _local(role: str, above: int, people: tuple[str, ...]) -> Level:
    """A level on the local page: in the group *Team*, or with the person where a bot gets no messages of a group."""
    rooms = (
        Destination(platform="feishu", app="demo", room_id="oc_66fa2763d5ac15b2f715165e969b5509"),
        Destination(platform="discord", app="demo", room_id="1028985494710103061"),
        Destination(platform="http", app="demo", room_id="#group-team"),
        Destination(platform="wecom", app="demo", user_id=people[2]),
        Destination(platform="wechat", app="demo", user_id=people[3]),
    )
    return Level(role=role, above=Decimal(above), people=people, rooms=rooms)


class Expenses(Settings):
    """The settings of this bot."""

    levels: tuple[Level, ...] = (_local("managers", 0, LIN), _local("directors", 1000, ANA))
    """The levels of approval, the first one first."""
    currency: str = "CNY"
    language: str = "en"
    """The language of people whose platform names none: "en" or "zh"."""
    accounting_url: str = ""
    """The address that books an expense. Empty: the bot makes up a receipt."""
    accounting_token: Secret = Secret("")


def roles(message: Message) -> set[str]:
    """The levels at which the sender may approve."""
    return {level.role for level in Expenses.load().levels if message.sender.id in level.people}


def words_for(message: Message) -> Words:
    """The texts in the language of the sender."""
    return texts_for(message.context.locale or Expenses.load().language, LANGUAGES)
