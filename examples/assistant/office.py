"""The settings, the model and the state of the assistant."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from parley.bot import Secret, Settings, Turn, texts_for
from parley.models import OpenAICompatible
from words import LANGUAGES, Words

Room = Literal["Panda", "Bamboo", "River"]
Hour = Annotated[int, Field(ge=8, le=18, description="the hour at which it begins")]


class Assistant(Settings):
    """The settings of this bot: a service with chat completions, and its model."""

    base_url: str = "http://127.0.0.1:8400/model/v1"
    model: str = "local"
    key: Secret = Secret("")
    zone: str = "Asia/Shanghai"
    language: str = "en"
    """The language of people whose platform names none: "en" or "zh"."""


class Booking(BaseModel):
    """A room for an hour. `day` is a date, `by` the id of a person."""

    number: int
    room: str
    day: str
    hour: int
    by: str


class Office(BaseModel):
    """The bookings of an app, and the number of the last one."""

    last: int = 0
    bookings: list[Booking] = []


OfficeTurn = Turn[dict[str, Any], dict[str, Any], Office]


def language_model() -> OpenAICompatible:
    """The model of the settings. It is made when it is needed, so a new key is in force within minutes."""
    settings = Assistant.load()
    return OpenAICompatible(base_url=settings.base_url, model=settings.model, key=settings.key)


def moment(turn: OfficeTurn) -> datetime:
    """The time of the message, where the office is."""
    return datetime.fromtimestamp(turn.now, ZoneInfo(Assistant.load().zone))


def free_rooms(turn: OfficeTurn, day: date, hour: int) -> list[str]:
    """The rooms that nobody has booked for that hour."""
    taken = {each.room for each in turn.shared.bookings if (each.day, each.hour) == (day.isoformat(), hour)}
    return [room for room in get_args(Room) if room not in taken]


def mine(turn: OfficeTurn) -> list[Booking]:
    """The bookings of the sender of the message from today on."""
    today = moment(turn).date().isoformat()
    return [each for each in turn.shared.bookings if each.by == turn.message.sender.id and each.day >= today]


def name_of(turn: OfficeTurn) -> str:
    """The sender's name, or id without one."""
    return turn.message.sender.name or turn.message.sender.id


def words_for(turn: OfficeTurn) -> Words:
    """The texts for the sender of the message."""
    return texts_for(turn.message.context.locale or Assistant.load().language, LANGUAGES)
