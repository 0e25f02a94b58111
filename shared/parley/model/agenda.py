"""What a conversation has planned: its reminders and its open dialogues. It is stored with its state."""

from typing import Any

import msgspec
from msgspec.structs import replace

from parley.model.instant import Form
from parley.model.message import Content, Context, Message, Sender
from parley.model.reply import Destination

REMINDER = "parley.reminder"
"""`Message.event` of a reminder that is due. No platform has an event of this name."""


SCHEDULED = "parley.scheduled"
"""`Message.event` of a schedule of the bot. No platform has an event of this name."""


FAILED = "parley.failed"
"""`Message.event`: a dialogue cannot go on. `Message.raw` is the `Failure` as JSON. No platform has an event of this
name."""


PRESSED = "parley.pressed"
"""`Message.event` of a press under an approval, in the conversation of the dialogue. `Message.raw` is the press as
JSON. No platform has an event of this name."""


LOGIN = "parley.login"
"""`Message.event`: a person has logged in, or has refused to. `Message.raw` is the `LoginEnd` as JSON. No platform has
an event of this name."""


MERGE = "parley.merge"
"""`Message.event`: no more texts are waited for (`parley.engine.merging`). No platform has an event of this name."""


APPROVAL = "parley.approval"
"""The id of the buttons of an approval. Their value is the place of the question, and the number of the outcome."""


class Reminder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that the bot sends to itself at the unix second `at`, in the conversation that it was set in.

    With `cron`, a cron expression in the time zone `zone`, it comes again; `at` is its first time. `handler`: the name
    of the bot's reminder handler; empty: the conversation gets the text. `by`: the id of the person who set it.
    """

    id: str
    at: float
    text: str = ""
    handler: str = ""
    cron: str = ""
    zone: str = ""
    by: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer in a dialogue: its text, or the `number` of its choice. `question`: the fingerprint of the question.

    `message` had the answer, and `now` is the unix second at which it was handled. `final`: it has decided an approval,
    and `by` is the person who did.
    """

    question: str
    message: Message
    now: float
    text: str = ""
    number: int = -1
    final: bool = False
    by: Sender | None = None


class OpenDialogue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dialogue with a person that waits for an answer.

    `handler` is the handler's name, `registered` what it is registered for (`/order`; empty in a dialogue of an earlier
    version), and `given` are its arguments. `message` has started it, at the unix second `started`.
    `question`: the fingerprint of the open question. `by_press`: it is an approval, which a press of somebody decides;
    `text` is its question, which is `markdown` if its author says so, `room` the other place in which
    it is shown, and `cards` are the handles of its cards. `scopes`: of a login, which is such a question as well.
    `missed`: the last text was no answer to it. `kept`: the words such as `/cancel` that are choices of it.
    `results`: of calls outside, as JSON by key.
    """

    id: str
    handler: str
    given: dict[str, Any] | str
    message: Message
    started: float
    registered: str = ""
    answers: tuple[Answer, ...] = ()
    question: str = ""
    reminded: bool = False
    missed: bool = False
    kept: tuple[str, ...] = ()
    by_press: bool = False
    text: str = ""
    markdown: bool = False
    room: Destination | None = None
    cards: tuple[str, ...] = ()
    results: str = ""
    scopes: str | None = None

    @property
    def can_go_back(self) -> bool:
        """Whether there is a question before. Nobody goes back beyond an approval."""
        return bool(self.answers) and not self.answers[-1].final

    @property
    def asked(self) -> float:
        """The unix second at which the open question was asked first."""
        return self.answers[-1].now if self.answers else self.started

    @property
    def place(self) -> str:
        """The identity of the open question: of the dialogue, and how many answers precede."""
        return f"{self.id}.{len(self.answers)}"


class Numbered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a card whose `number` a person sends instead of a press, since the unix second `at`.

    The press is an action with `id` and `value`. `option`: the chosen value of a menu. `form`: whose inputs follow the
    number.
    """

    number: int
    at: float
    id: str
    value: str = ""
    option: str = ""
    form: Form | None = None


class Agenda(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The plans of a conversation: reminders by their ids, dialogues by the ids of the persons, and the numbers on its
    cards. A dialogue that waits for an approval has its own id as key: the person can have other ones meanwhile.
    """

    reminders: dict[str, Reminder] = {}
    dialogues: dict[str, OpenDialogue] = {}
    numbers: tuple[Numbered, ...] = ()

    @property
    def is_temporary(self) -> bool:
        """Whether nothing is planned. Numbers mean something for an hour."""
        return not self.reminders and not self.dialogues


NOTHING = Agenda()


class LoginQuestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dialogue that waits for a login, at the question `place`, with the `scopes`."""

    place: str
    scopes: str = ""


class LoginEnd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The end of a login for the question `place`: the person has logged in, or has refused to."""

    place: str
    is_done: bool = False


class Timer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that goes into the inbound queue at the unix second `at`, and then as `cron` says in `zone`.

    `since`: the unix second at which a schedule of the bot was set. `login`: the login that it ends.
    """

    message: Message
    at: float
    cron: str = ""
    zone: str = ""
    since: float = 0
    login: "LoginQuestion | None" = None

    @property
    def due(self) -> Message:
        """The message for the time `at`. Its id is the same however often it is sent."""
        return replace(self.message, id=occurrence(self.message.id, self.at), timestamp=int(self.at))


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a dialogue cannot go on. `place`: the question that was open (`OpenDialogue.place`).

    `press`: the handler has failed after this press. `undelivered`: the card of an approval cannot be delivered.
    """

    place: str
    press: Message | None = None
    undelivered: bool = False


def is_decision(message: Message) -> bool:
    """Whether `message` is a press under an approval, where it was made or in the conversation of the dialogue; or the
    end of a login.
    """
    return message.event in (PRESSED, LOGIN) or (message.action is not None and message.action.id == APPROVAL)


def login_ended(timer: Timer, end: LoginEnd, now: float) -> Message:
    """The message that brings the end of a login into the conversation of its dialogue. Each end comes once."""
    raw: Any = msgspec.to_builtins(end)
    id_ = f"{timer.message.id}.{end.place.rpartition('.')[2]}.{'done' if end.is_done else 'refused'}"
    return replace(timer.message, id=id_, event=LOGIN, timestamp=int(now), raw=raw)


def ending(message: Message, id_: str, failure: Failure, now: float) -> Message:
    """The message that ends the dialogue of `failure`, in the conversation of `message`.

    `id_`: of the message or the reply that has failed. The dialogue is ended once, however often it fails.
    """
    raw: Any = msgspec.to_builtins(failure)
    return replace(message, id=f"{id_}.failed", kind="event", event=FAILED, timestamp=int(now), raw=raw)


def occurrence(reminder: str, at: float) -> str:
    """The id of the message of `reminder` for the time `at`."""
    return f"{reminder}@{float(at)!r}"


def timer_of(reminder: Reminder, message: Message, *, keeps_token: bool = False) -> Timer:
    """The timer of `reminder`, which a handler of `message` has set. What is only valid for an answer is left out.
    `keeps_token`: but the reply token, without which the bot cannot write there.
    """
    context = replace(message.context, awaits_reply=False)
    if not keeps_token:
        context = replace(context, reply_token="", reply_token_expires=0)
    name = "" if context.wants_name is True else message.sender.name  # a name that was fetched is not stored
    told = Message(
        id=reminder.id,
        platform=message.platform,
        app=message.app,
        kind="event",
        event=REMINDER,
        sender=Sender(id=message.sender.id, name=name, admin=message.sender.admin),
        content=Content(text=reminder.text),
        timestamp=int(reminder.at),
        context=context,
        # Feishu puts a message into a topic only as a reply to another one.
        reply_to=Destination.answering(message).message_id,
    )
    return Timer(message=told, at=reminder.at, cron=reminder.cron, zone=reminder.zone)


def schedule_of(id_: str, to: Destination, cron: str, zone: str, at: float, now: float) -> Timer:
    """The timer of a schedule of the bot, in the conversation `to`. `at`: its first time, in unix seconds."""
    message = Message(
        id=id_,
        platform=to.platform,
        app=to.app,
        kind="event",
        event=SCHEDULED,
        sender=Sender(id=to.user_id, kind="system"),
        content=Content(),
        timestamp=int(at),
        context=Context(room_id=to.room_id, thread_id=to.thread_id, tenant=to.tenant, private=not to.room_id),
        reply_to=to.message_id,
    )
    return Timer(message=message, at=at, cron=cron, zone=zone, since=now)
