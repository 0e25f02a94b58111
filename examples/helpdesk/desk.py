"""The settings and the state of the help desk."""

from typing import Any

from pydantic import BaseModel

from parley.bot import Settings, Turn, texts_for
from parley.bot.rules import rule
from parley.model import Destination, Message
from parley.text import one_line
from words import LANGUAGES, Words

_TEAMS = (
    Destination(platform="feishu", app="demo", room_id="oc_66fa2763d5ac15b2f715165e969b5509"),
    Destination(platform="discord", app="demo", room_id="1028985494710103061"),
    Destination(platform="http", app="demo", room_id="#group-team"),
    Destination(platform="wecom", app="demo", user_id="Lin"),
    Destination(platform="wechat", app="demo", user_id="o8a72434b08d5547912ad95ea914"),
)
"""The group *Team* of the local page; where a bot gets no messages of a group, Lin Mei."""


class HelpDesk(Settings):
    """The settings of this bot."""

    teams: tuple[Destination, ...] = _TEAMS
    """For each app: the room of the team, or one person."""
    language: str = "en"
    """The language of the team, and of people whose platform names none: "en" or "zh"."""


class Ticket(BaseModel):
    """A request. `card` is the handle of its card in the team's room. `taker` is empty until somebody takes it."""

    asker: str
    name: str
    locale: str
    topic: str
    text: str
    card: str = ""
    taker: str = ""
    taker_name: str = ""

    @property
    def summary(self) -> str:
        """The request, for the literal text of a card."""
        return f"{self.name}, {self.topic}: {self.text}"


class Desk(BaseModel):
    """The open requests of an app, by number, and the number of the last one."""

    last: int = 0
    tickets: dict[int, Ticket] = {}


DeskTurn = Turn[dict[str, Any], dict[str, Any], Desk]


def team_of(message: Message) -> Destination | None:
    """Where the team of this app reads; None if it has no team."""
    teams = HelpDesk.load().teams
    return next((team for team in teams if (team.platform, team.app) == (message.platform, message.app)), None)


@rule
def in_team(message: Message) -> bool:
    """The message is from the team's room."""
    team = team_of(message)
    if team is None:
        return False
    return message.context.room_id == team.room_id if team.room_id else message.sender.id == team.user_id


def words_for(locale: str = "") -> Words:
    """The texts for a locale; without one, those of the setting `language`, which the team reads."""
    return texts_for(locale or HelpDesk.load().language, LANGUAGES)


def asker_of(ticket: Ticket, message: Message) -> Destination:
    """The direct chat with the person who has sent the request. `message`: one to the same app."""
    tenant = message.context.tenant
    return Destination(platform=message.platform, app=message.app, tenant=tenant, user_id=ticket.asker)


def name_of(message: Message) -> str:
    """The sender's name, or id without one."""
    return one_line(message.sender.name or message.sender.id)


def new_ticket(message: Message, topic: str, text: str) -> Ticket:
    """A request of the sender of `message`."""
    name, locale = name_of(message), message.context.locale
    return Ticket(asker=message.sender.id, name=name, locale=locale, topic=topic, text=text)
