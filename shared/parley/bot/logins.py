"""Logins: a step of a dialogue that ends on the login page of the platform, and calls in the name of the person.

The button of the card opens a page of this deployment, which sends the browser to the platform (`parley.engine.oauth`).
The end of the login becomes a message of the conversation. Nobody but that function makes such a message.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol

import msgspec
from msgspec.structs import replace

from parley.adapter import Answer, Call
from parley.bot.approvals import WITHDRAWN, Admits, closed_cards, outcome_card
from parley.bot.conversions import ArgumentError, Today
from parley.bot.questions import Given, card, check_question, text_of
from parley.bot.rules import is_sender
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.errors import ResultError, UserApiError
from parley.model import Button, Markdown, Message, Reply, digest
from parley.model.agenda import APPROVAL, LOGIN, LoginEnd

Outcome = Literal["done", "refused", "withdrawn", "timed out"]
_OUTCOMES: tuple[Outcome, ...] = ("done", "refused", "withdrawn", "timed out")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Users(Protocol):
    """The persons who have logged in. The engine has them."""

    def address(self, message: Message) -> str:
        """The address of the page that starts a login with the app of `message`; empty if the app has no logins."""
        ...

    def has(self, message: Message, scopes: str) -> bool:
        """Whether the sender of `message` has logged in with all of `scopes`."""
        ...

    def call(self, message: Message, request: Call, until: float) -> Answer:
        """The answer to a call in the name of the sender. Raises LoginNeededError, UserApiError."""
        ...

    def forget(self, message: Message, until: float) -> bool:
        """Delete the login of the sender. False if there is none."""
        ...


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a login; true if it is "done". `at` is None if the person had logged in before."""

    outcome: Outcome
    at: datetime | None = None

    def __bool__(self) -> bool:
        return self.outcome == "done"


class Login(msgspec.Struct, frozen=True):
    """A question that the platform's login page answers: `login = yield Login("calendar:calendar:readonly")`.

    `scopes`: what the bot wants to do in the name of the person, in the platform's words, separated by spaces. A person
    who has given all of them is not asked. Else they get a card whose button starts the login. `question`: its text.
    After `timeout` it is "timed out". `key` identifies a login whose question is not always the same.
    """

    scopes: str
    question: str | Markdown = ""
    timeout: timedelta = timedelta(minutes=30)
    key: str = ""
    address: str = ""
    """The page that starts the login. The library sets it."""
    by_press: ClassVar[bool] = True
    room: ClassVar[None] = None

    def __post_init__(self) -> None:
        if not isinstance(self.scopes, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f'scopes={self.scopes!r}: write a text, Login("calendar:calendar:readonly offline")')
        check_question(self.question or "-", self.timeout, self.key)

    @property
    def fingerprint(self) -> str:
        """The same for the same question in another run of the handler."""
        return digest(self.key or text_of(self.question), LOGIN, *sorted(set(self.scopes.split())))[:16]

    @property
    def patience(self) -> float:
        """Seconds until its time is over."""
        return self.timeout.total_seconds()

    def read(self, given: Given, _texts: Texts, _today: Today) -> LoggedIn:
        """The outcome. Raises ArgumentError."""
        if given.number is None or given.number >= len(_OUTCOMES):
            raise ArgumentError
        return LoggedIn(outcome=_OUTCOMES[given.number], at=datetime.fromtimestamp(given.at, UTC))

    def asked(self, turn: Turn, number: int) -> "Login | LoggedIn":
        """The question with its page, for the sender of the message of `turn`; or its answer, if they have given the
        scopes already. `number`: of this login in the handler. Raises ResultError if the app has no logins.
        """
        address = turn.users.address(turn.message)
        if not address:
            message = turn.message
            raise ResultError(f"{message.platform}/{message.app} has no logins: add `logins` to its configuration")
        # Recorded, so that a run that goes on after a later question takes the same way.
        if turn.once(f"parley.login.{number}", lambda _: turn.users.has(turn.message, self.scopes)):
            return LoggedIn(outcome="done")
        return replace(self, address=address)

    def replies(self, place: str, _message: Message, texts: Texts) -> list[Reply]:
        """The card."""
        # The value names the dialogue, so that the card is known as one of it.
        start = Button(
            id=APPROVAL, label=texts.log_in, value=f"{place}.", url=f"{self.address}?t={place}", style="primary"
        )
        later = Button(id=APPROVAL, label=texts.no_login, value=f"{place}.{WITHDRAWN}")
        return [Reply(segments=(card(self._text(texts), buttons=(start, later)),))]

    def check_roles(self) -> None:
        """No rule says who decides."""

    def check_seen(self, asker: Message, _admits: Admits) -> None:
        """Raise ResultError without a person who could log in."""
        if not asker.sender.id:
            raise ResultError("a schedule of a room has nobody who could log in")

    def refusal(self, given: Given, asker: Message, _admits: Admits, texts: Texts) -> str:
        """Why the press decides nothing; empty if it does. A press can withdraw only: it is no login."""
        press = given.press
        if press is None:
            return ""  # the end of the login, or of the time
        is_there = (press.platform, press.app) == (asker.platform, asker.app)
        return "" if given.number == WITHDRAWN and is_there and is_sender(press, asker.sender.id) else texts.not_yours

    def shown_again(self, given: Given, place: str, asker: Message, texts: Texts) -> list[Reply]:
        """The pressed card as it was."""
        press = given.press
        if press is None or press.action is None:
            return []
        return [replace(self.replies(place, asker, texts)[0], op="edit", target=press.action.message_id)]

    def closed(self, given: Given, cards: tuple[str, ...], asker: Message, texts: Texts) -> list[Reply]:
        """The edits that close its card."""
        titles = (texts.logged_in, texts.login_refused, texts.withdrawn, texts.login_timed_out)
        shown = outcome_card(titles[given.number or 0], self._text(texts), given)
        return closed_cards(shown, None, cards, asker, replace(given, press=given.press))

    def _text(self, texts: Texts) -> str | Markdown:
        return self.question or texts.login_question


def ended_in(message: Message) -> Given | None:
    """The end of a login that `message` brings."""
    if message.event != LOGIN:
        return None
    end = msgspec.convert(message.raw, LoginEnd)
    return Given(place=end.place, number=0 if end.is_done else 1, by=message.sender)


class User:
    """Calls of the platform's API in the name of the person who has sent the message: `Turn.as_user`.

    Paths begin with a slash, as `/open-apis/calendar/v4/calendars`: the token goes to the platform only. Methods return
    the JSON of the answer. They raise LoginNeededError without a login or a scope, and UserApiError if the platform
    refuses the call or does not answer within `timeout` seconds.
    """

    def __init__(self, turn: Turn[Any, Any, Any]) -> None:
        self._turn = turn

    def get(self, path: str, *, timeout: float = 10, **query: str | int) -> dict[str, Any]:
        """Read."""
        return self.request("GET", path, query=query, timeout=timeout)

    def post(self, path: str, json: Any = None, *, timeout: float = 10) -> dict[str, Any]:
        """Make something. Inside `Turn.once`, so that it is not made twice."""
        return self.request("POST", path, json=json, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        json: Any = None,
        timeout: float = 10,
    ) -> dict[str, Any]:
        """Any other call. Raises ValueError for an address of another host."""
        if method not in _METHODS:
            raise ValueError(f"method={method!r}: write one of {', '.join(_METHODS)}")
        if (
            not path.startswith("/")
            or path.startswith("//")
            or not path.isascii()
            or any(c in path for c in "\\ #")
            or not path.isprintable()
        ):
            raise ValueError(f"path={path!r}: write a path of the platform's API that begins with one slash")
        given = {name: str(value) for name, value in (query or {}).items()}
        call = Call(name="as_user", method=method, url=path, query=given, json=json, timeout=timeout)
        answer = self._turn.users.call(self._turn.message, call, self._turn.until)
        body = answer.json()
        if not 200 <= answer.status < 300 or body.get("code") not in (None, 0):
            code = str(body.get("code"))[:20]
            raise UserApiError(f"refused: HTTP {answer.status}, code {code}", status=answer.status, body=body)
        return body
