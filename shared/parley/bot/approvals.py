"""Approvals: a step of a dialogue that somebody decides with a press, most often in another room.

The card with the buttons can be anywhere. A press becomes a message of the conversation of the dialogue (`forwarded`).
It is handled there in its order, so the first press decides, however many come at once.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import msgspec
from msgspec.structs import replace

from parley.bot.conversions import ArgumentError, Today
from parley.bot.questions import Given, card, check_question, text_of
from parley.bot.rules import Rule, check_rule, is_sender
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.errors import ResultError
from parley.model import (
    Button,
    Card,
    Conversation,
    Destination,
    Markdown,
    Mention,
    Message,
    Reply,
    Sender,
    digest,
    is_direct,
)
from parley.model.agenda import APPROVAL, PRESSED, Failure, OpenDialogue, Timer
from parley.platforms import has_readable_ids, is_receiver, sends_edits
from parley.reply_checks import check_destination
from parley.text import one_line

Outcome = Literal["approved", "rejected", "withdrawn", "timed out"]
_OUTCOMES: tuple[Outcome, ...] = ("approved", "rejected", "withdrawn", "timed out")
WITHDRAWN, TIMED_OUT = 2, 3
_STRANGER = "stranger"
"""`Message.raw` of a press by somebody who may not use the bot. It counts only if the `by` of an approval holds."""
_NAME = 200
"""Characters of a question that name it in a message that follows."""
Admits = Callable[[Rule | None, Message], bool]
"""Whether a rule holds for a message. None stands for the rule of the whole bot."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an approval; true if it is "approved". `by`: the person who decided; None if the time is over."""

    outcome: Outcome
    by: Sender | None = None
    at: datetime

    def __bool__(self) -> bool:
        return self.outcome == "approved"


class Approve(msgspec.Struct, frozen=True):
    """A question that somebody else decides: `ok = yield Approve("Deploy 1.4?", by=role("ops"), room=OPS)`.

    The question is plain text, or `Markdown(text="...")`, as in `Ask`.
    The card is shown in `room`; without one, in the conversation itself. `by`: the rule for those who may decide. The
    person who asks can withdraw it, and goes on with other things meanwhile. After `timeout` it is "timed out". `key`
    identifies an approval whose text is not always the same.
    """

    question: str | Markdown
    by: Rule | None = None
    room: Destination | None = None
    timeout: timedelta = timedelta(days=1)
    key: str = ""
    by_press: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_question(self.question, self.timeout, self.key)
        if self.by is not None:
            check_rule(self.by)
        if not isinstance(self.room, Destination | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"room={self.room!r}: write room=Destination(platform=..., app=..., room_id=...)")
        if self.room is not None and self.room.webhook:
            raise ValueError("a group webhook delivers no presses; name the room of an app: room=Destination(...)")
        if self.room is not None:
            check_destination(self.room)

    @property
    def fingerprint(self) -> str:
        """The same for the same question in another run of the handler."""
        return digest(self.key or text_of(self.question), APPROVAL)[:16]

    @property
    def patience(self) -> float:
        """Seconds until its time is over."""
        return self.timeout.total_seconds()

    def read(self, given: Given, _texts: Texts, _today: Today) -> Approval:
        """The outcome. Raises ArgumentError."""
        if given.number is None or given.number >= len(_OUTCOMES):
            raise ArgumentError
        return Approval(outcome=_OUTCOMES[given.number], by=given.by, at=datetime.fromtimestamp(given.at, UTC))

    def replies(self, place: str, message: Message, texts: Texts) -> list[Reply]:
        """The card in the room, and the one for the person who asks."""
        decide = [_button(texts.approve, place, 0, "primary"), _button(texts.reject, place, 1, "danger")]
        withdraw = _button(texts.withdraw, place, WITHDRAWN, "default")
        if self.room is None:
            return [_reply(card(self.question, buttons=(*decide, withdraw)))]
        asked = replace(card(self.question, buttons=decide), mentions=_named(message, self.room))
        return [Reply(segments=(asked,), to=self.room), _reply(card(self.question, texts.waits, buttons=(withdraw,)))]

    def check_roles(self) -> None:
        """Raise ResultError if `by` names a role that no bot without `roles=` has."""
        if self.by is not None and self.by.unnamed_role:
            raise ResultError(f"Approve(by=...): {self.by.unnamed_role}")

    def check_seen(self, asker: Message, admits: Admits) -> None:
        """Raise ResultError if nobody who may decide sees the card. `asker`: a message of the person who asks."""
        is_alone = self.room is None and is_direct(asker) and bool(asker.sender.id)
        if is_alone and self.by is not None and not admits(self.by, asker):
            raise ResultError(
                "nobody can decide: only the person who asks sees an approval in a direct chat, and `by` does not hold "
                "for them; write Approve(..., room=Destination(platform=..., app=..., room_id=...))"
            )

    def refusal(self, given: Given, asker: Message, admits: Admits, texts: Texts) -> str:
        """Why the press decides nothing; empty if it does. `asker`: a message of the person who asks."""
        press = given.press
        if press is None:
            return ""  # the time is over
        if given.number == WITHDRAWN:
            is_there = (press.platform, press.app) == (asker.platform, asker.app)
            return "" if is_there and is_sender(press, asker.sender.id) else texts.not_yours
        is_there = _is_at(press, self.room or Destination.answering(asker))
        may_decide = admits(self.by, press) and (self.by is not None or press.raw != _STRANGER)
        return "" if is_there and may_decide else texts.not_yours

    def shown_again(self, given: Given, place: str, asker: Message, texts: Texts) -> list[Reply]:
        """The pressed card as it was: WeCom takes its buttons away with a press."""
        press = given.press
        if press is None or press.action is None:
            return []
        shown = self.replies(place, asker, texts)[-1 if given.number == WITHDRAWN else 0]
        target, there = press.action.message_id, Destination.answering(press)
        return [replace(shown, op="edit", target=target, to=there)]

    def closed(self, given: Given, cards: tuple[str, ...], asker: Message, texts: Texts) -> list[Reply]:
        """The edits that close its cards: the pressed one, and the others by their handles `cards`. `asker`: a message
        of the person who asks.
        """
        outcome = (texts.approved, texts.rejected, texts.withdrawn, texts.timed_out_approval)[given.number or 0]
        return closed_cards(outcome_card(outcome, self.question, given), self.room, cards, asker, given)


def closed_after(failure: Failure, dialogue: OpenDialogue, turn: Turn, texts: Texts) -> list[Reply]:
    """The edits that close the cards of an approval whose dialogue cannot go on. `turn`: one of the person who asks."""
    given = pressed(failure.press) if failure.press is not None else Given(number=TIMED_OUT)
    question = Markdown(text=dialogue.text) if dialogue.markdown else dialogue.text
    shown = outcome_card(texts.not_done, question, replace(given, at=turn.now))
    edits = closed_cards(shown, dialogue.room, dialogue.cards, turn.message, given)
    return edits[1:] if failure.undelivered else edits


def is_press(message: Message) -> bool:
    """Whether `message` is a press under an approval."""
    return message.action is not None and message.action.id == APPROVAL


def pressed_in(message: Message) -> Given | None:
    """The press that `message` brings from another conversation, or from its own (`forwarded`)."""
    press = msgspec.convert(message.raw, Message) if message.event == PRESSED else None
    return pressed(press) if press is not None and press.action is not None else None


def pressed(press: Message) -> Given:
    """What a press under an approval says."""
    place, _, number = press.action.value.rpartition(".") if press.action is not None else ("", "", "")
    known = int(number) if number in ("0", "1", "2") else None
    return Given(place=place, number=known, press=press, by=press.sender)


def forwarded(press: Message, timer: Timer, now: float, *, admitted: bool) -> Timer:
    """A message of the conversation in which `timer` is set, that brings it the `press`. It is due now. `admitted`:
    whether the person may use the bot, where the press was made.

    If the press is of the same conversation and its callback waits for replies, they may be those to this message. So
    it has the right to answer that came with the press.
    """
    id_ = f"{timer.message.id}.{digest(press.platform, press.app, press.id)[:32]}"
    body: Any = msgspec.to_builtins(replace(press, raw=None if admitted else _STRANGER))
    message, right = replace(timer.message, id=id_, event=PRESSED, raw=body), press.context
    if right.awaits_reply and Conversation.of(press).key == Conversation.of(message).key:
        answering = {"reply_token": right.reply_token, "reply_token_expires": right.reply_token_expires}
        message = replace(message, context=replace(message.context, awaits_reply=True, **answering))
    return Timer(message=message, at=now)


def _is_at(press: Message, place: Destination) -> bool:
    """Whether the pressed card is in `place`. A destination that a bot's author has written names no tenant."""
    if (press.platform, press.app) != (place.platform, place.app):
        return False
    if place.room_id:
        return press.context.room_id == place.room_id
    return is_receiver(press.platform, place.user_id, press.sender.id)


def outcome_card(outcome: str, question: str | Markdown, given: Given) -> Card:
    """A card without buttons, that says the outcome and when."""
    time = f"{datetime.fromtimestamp(given.at, UTC):%Y-%m-%d %H:%M} UTC"
    return replace(card(question, time, buttons=()), title=outcome)


def closed_cards(
    shown: Card, room: Destination | None, cards: tuple[str, ...], asker: Message, given: Given
) -> list[Reply]:
    """The edits that put `shown`, with who has pressed, in place of the pressed card, and of the others with the
    handles `cards`.
    """

    def edit(target: str, to: Destination | None) -> Reply:
        place = to or Destination.answering(asker)
        named = replace(shown, mentions=_named(given.press, place) if given.press else ())
        return Reply(
            op="edit", target=target, segments=(_brief(named) if sends_edits(place.platform) else named,), to=to
        )

    # Each in the order of its own room: the first card can be in another one than the second.
    rooms = (room, None)
    edits = [edit(handle, to) for handle, to in zip(cards, rooms, strict=False)]
    press = given.press
    if press is None or press.action is None:
        return edits
    pressed_card = edit(press.action.message_id, Destination.answering(press))
    is_first = room is None or given.number != WITHDRAWN
    return [pressed_card, *(edits[1:] if is_first else edits[:1])]


def _brief(card: Card) -> Card:
    """A closed card that names a long question by its beginning: people have read all of it above."""
    question, line, time = card.text.rpartition("\n") if card.literal else (card.text, "", "")
    if len(question) <= _NAME:
        return card
    return replace(card, text=f"{question[: _NAME - 1].rstrip()}…{line}{time}")


def _button(label: str, place: str, number: int, style: Literal["default", "primary", "danger"]) -> Button:
    return Button(id=APPROVAL, label=label, value=f"{place}.{number}", style=style)


def _reply(shown: Card) -> Reply:
    return Reply(segments=(shown,))


def _named(message: Message, place: Destination) -> tuple[Mention, ...]:
    """The person who has written `message`, for a card in `place`: a mention if their id is of the same app and tenant.

    Elsewhere the id can be another person's, and everyone's if it is "all". A mention without an id is the name in
    words, or the id in words if there is no name. A destination that a bot's author has written names no tenant.
    """
    person, tenant = message.sender, message.context.tenant
    is_known = (message.platform, message.app) == (place.platform, place.app) and place.tenant in ("", tenant)
    if is_known and person.id != "all":
        fallback = person.id if has_readable_ids(place.platform) else ""
        return (Mention(id=person.id, name=person.name if one_line(person.name) else fallback),)
    words = one_line(person.name) or one_line(person.id)
    return (Mention(id="", name=words),) if words else ()
