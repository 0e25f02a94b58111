"""The settings and the states of the stand-up."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from parley.bot import Settings, Turn, texts_for
from parley.model import Destination, Message
from words import LANGUAGES, Words

_WECOM = ("Lin", "Sam", "Ana")
_WECHAT = ("o8a72434b08d5547912ad95ea914", "oddbd615cf2d5fca9a9d6d8fabf6", "o7cc8b05d64f0d7a768adc6073ff")
_PLACES = (
    Destination(platform="feishu", app="demo", room_id="oc_66fa2763d5ac15b2f715165e969b5509"),
    Destination(platform="discord", app="demo", room_id="1028985494710103061"),
    Destination(platform="http", app="demo", room_id="#group-team"),
    *(Destination(platform="wecom", app="demo", user_id=person) for person in _WECOM),
    *(Destination(platform="wechat", app="demo", user_id=person) for person in _WECHAT),
)
"""The group *Team* of the local page; where a bot gets no messages of a group, each person."""
_LIN = ("ou_4a2dea5b58a100c8089a913a092188d1", "1026416728193433859", "Lin", "o8a72434b08d5547912ad95ea914", "lin")


class StandUp(Settings):
    """The settings of this bot. A change of the places and times is in force after the next deployment."""

    places: tuple[Destination, ...] = _PLACES
    """Where the bot asks, and shows the summary: one room for an app, or its persons."""
    ask_at: str = "30 9 * * 1-5"
    summary_at: str = "0 10 * * 1-5"
    zone: str = "Asia/Shanghai"
    leads: tuple[str, ...] = _LIN
    """The ids of the people who may skip a day and move the summary."""
    language: str = "en"
    """The language of the room, and of people whose platform names none: "en" or "zh"."""


class Answer(BaseModel):
    """What a person has answered."""

    name: str
    did: str
    next: str = ""


class Board(BaseModel):
    """The stand-up of a day in one app. `cards` are the handles of the summary, `late` is the time that it was moved
    to, and `skipped` are days without a stand-up.
    """

    day: str = ""
    answers: dict[str, Answer] = {}
    cards: list[str] = []
    late: str = ""
    skipped: list[str] = []


class Person(BaseModel):
    """What the bot knows of a person: the last plan."""

    plan: str = ""


TeamTurn = Turn[dict[str, Any], Person, Board]


def roles(message: Message) -> set[str]:
    """The roles of the sender."""
    return {"admin"} if message.sender.id in StandUp.load().leads else set()


def today(turn: TeamTurn) -> date:
    """The day of the message, where the team is."""
    return datetime.fromtimestamp(turn.now, ZoneInfo(StandUp.load().zone)).date()


def board_of(turn: TeamTurn) -> Board:
    """The board of today, which is empty in the morning."""
    day = today(turn).isoformat()
    if turn.shared.day != day:
        turn.shared = Board(day=day, skipped=[each for each in turn.shared.skipped if each >= day])
    return turn.shared


def words_for(locale: str = "") -> Words:
    """The texts for a locale; without one, those of the setting `language`, which the room reads."""
    return texts_for(locale or StandUp.load().language, LANGUAGES)
