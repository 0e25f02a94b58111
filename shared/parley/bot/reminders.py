"""The reminders of a conversation, as a handler sets, changes and cancels them. They are stored with its replies."""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime, timedelta
from math import floor, inf
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from parley.bot.zones import zone_name
from parley.cron import next_time
from parley.errors import LimitError, ResultError
from parley.journal.limits import MAX_AGENDA, MAX_APPROVALS, MAX_PLANNED, MAX_REMINDER, MAX_REMINDERS
from parley.model import Card, Conversation, Message, Reply, digest, handle_of, message_key, reply_id
from parley.model.agenda import Agenda, LoginQuestion, OpenDialogue, Reminder, Timer, occurrence, timer_of
from parley.model.aws_events import AWS
from parley.model.codec import encode
from parley.platforms import answers_only, is_same_person

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DIALOGUE = "parley.dialogue"
"""The handler of the reminder that ends a dialogue."""
_KEPT = 28 * 86_400
"""Seconds for which the message of a reminder can be in the queues: 14 days in each of two."""
_YEAR_9999 = 253_370_764_800
"""The unix second at which it begins. A bot that lists its reminders cannot show a time much later as a datetime."""


class Reminders:
    """The reminders and dialogues of the conversation of `message`. `stored`: those of the journal."""

    def __init__(self, message: Message, now: float, stored: Agenda) -> None:
        self._message = message
        self._now = now
        self._stored = stored.reminders
        self._reminders = {id_: each for id_, each in stored.reminders.items() if not _is_lost(each, now)}
        self._dialogues = dict(stored.dialogues)
        self.numbers = stored.numbers
        """The numbers that cards of the conversation show (`parley.bot.numbered`)."""
        self._set: dict[str, Reminder] = {}
        self._cancelled: set[str] = set()
        self._sent: list[Timer] = []
        self._asked: OpenDialogue | None = None
        """The dialogue that has asked a question in this turn."""
        self._count = 0

    def copy(self) -> Self:
        """The plans as they are now. Later changes do not change them."""
        made = copy(self)
        for name in ("_reminders", "_dialogues", "_set", "_cancelled", "_sent"):
            setattr(made, name, copy(getattr(self, name)))
        return made

    @property
    def agenda(self) -> Agenda:
        """The plans to store."""
        return Agenda(reminders=self._reminders, dialogues=self._dialogues, numbers=self.numbers)

    @property
    def timers(self) -> list[Timer]:
        """The timers to set."""
        return [*map(self._timer, self._set.values()), *self._sent]

    @property
    def cancelled(self) -> list[str]:
        """The ids of the timers to delete."""
        return sorted(self._cancelled)

    @property
    def is_changed(self) -> bool:
        """Whether a reminder or a dialogue was set, changed or cancelled."""
        return bool(self._set or self._cancelled)

    @property
    def changes_reminders(self) -> bool:
        """Whether a reminder was set, changed or cancelled. The end of a dialogue is no such change."""
        changed = (*self._set.values(), *(self._stored[id_] for id_ in self._cancelled))
        return any(each.handler != DIALOGUE for each in changed)

    @property
    def dialogue(self) -> OpenDialogue | None:
        """The open dialogue with the sender of the message."""
        return self._dialogues.get(self._person)

    @property
    def _person(self) -> str:
        """The sender of the message, as the key of their open dialogue if they have one."""
        message = self._message
        own = (key for key, each in self._dialogues.items() if not each.by_press)
        return next((key for key in own if is_same_person(message.platform, key, message.sender.id)), message.sender.id)

    def waiting(self, id_: str) -> OpenDialogue | None:
        """The dialogue with this id that waits for an approval."""
        return self._dialogues.get(id_)

    def at(self, place: str) -> OpenDialogue | None:
        """The dialogue whose open question has this identity."""
        return next((each for each in self._dialogues.values() if each.place == place), None)

    def has_many_approvals(self, dialogue: str) -> bool:
        """Whether the person has as many open approvals here as possible, without the dialogue with that id."""
        platform, person = self._message.platform, self._message.sender.id
        waiting = (each for each in self._dialogues.values() if each.by_press)
        own = (each for each in waiting if is_same_person(platform, each.message.sender.id, person))
        return sum(each.id != dialogue for each in own) >= MAX_APPROVALS

    def reminded(self, reminder: Reminder) -> OpenDialogue | None:
        """The dialogue that `reminder` belongs to."""
        return self._dialogues.get(reminder.id) or self.dialogue

    def wait(self, dialogue: OpenDialogue, seconds: float) -> None:
        """Store `dialogue`, and wait for the answer for `seconds`."""
        self.end(dialogue)
        key, reminder = self._keys(dialogue)
        self._dialogues[key] = self._asked = dialogue
        self._put(Reminder(id=reminder, at=self._now + seconds, handler=DIALOGUE, by=self._message.sender.id))

    def end(self, dialogue: OpenDialogue) -> None:
        """Forget `dialogue`."""
        for by_press in (False, True):
            key, reminder = self._keys(replace(dialogue, by_press=by_press))
            known = self._dialogues.get(key)
            if known is not None and known.id == dialogue.id:
                del self._dialogues[key]
                self.cancel(reminder)

    def asked(self, replies: Sequence[Reply]) -> None:
        """Keep the handles of the cards of an approval. `replies`: all of this turn."""
        dialogue, self._asked = self._asked, None
        if dialogue is None or not dialogue.by_press:
            return
        key = message_key(self._message)
        cards = (number for number, reply in enumerate(replies) if _belongs(reply, dialogue.id))
        handles = tuple(handle_of(reply_id(key, number)) for number in cards)
        self._dialogues[dialogue.id] = replace(dialogue, cards=handles)

    def has_asked_since(self, before: Self) -> bool:
        """Whether a dialogue waits for an answer that did not wait for it in `before`, an earlier copy."""
        known = before._dialogues
        return any(known.get(key) != each for key, each in self._dialogues.items())

    def send(self, timer: Timer) -> None:
        """Set a timer that brings this message into the conversation of the timer, which can be this one."""
        self._sent.append(timer)

    @property
    def forwarded(self) -> str:
        """The id of the message that brings this one on in this conversation; empty if there is none."""
        here = Conversation.of(self._message).key
        return next((each.due.id for each in self._sent if Conversation.of(each.message).key == here), "")

    def _keys(self, dialogue: OpenDialogue) -> tuple[str, str]:
        """The key of a dialogue, and the id of its reminder. A person has one open question in a conversation."""
        if dialogue.by_press:
            return dialogue.id, dialogue.id
        person = self._person
        return person, digest(Conversation.of(self._message).key, person, DIALOGUE)[:32]

    def all(self) -> list[Reminder]:
        """The reminders, the next one first. One that comes again has its next time."""
        mine = (each for each in self._reminders.values() if each.handler != DIALOGUE)
        current = (replace(each, at=self._next(each)) for each in mine)
        return sorted(current, key=lambda reminder: reminder.at)

    def add(
        self, text: str, handler: str, at: datetime | None, after: timedelta | None, cron: str, zone: "str | ZoneInfo"
    ) -> Reminder:
        """Set a new one. Raises TypeError, ValueError, ResultError, LimitError."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f'a reminder is a {type(text).__name__}: write a text, remind("Call Ann", ...)')
        if not isinstance(handler, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f'handler={handler!r}: write the name of @bot.reminder("name"), handler="name"')
        if not handler and self._message.platform == AWS:
            raise ResultError(
                "an AWS event belongs to no conversation: write handler=..., which replies with Reply(to=...)"
            )
        zone = zone_name(zone)
        id_ = reply_id(message_key(self._message), f"reminder {self._count}")
        reminder = Reminder(
            id=id_,
            at=self._time(at, after, cron, zone),
            text=text,
            handler=handler,
            cron=cron,
            zone=zone if cron else "",
            by=self._message.sender.id,
        )
        self._count += 1
        return self._put(reminder)

    def change(
        self, id_: str, at: datetime | None, after: timedelta | None, cron: str, zone: "str | ZoneInfo"
    ) -> Reminder | None:
        """Give one another time. None if there is none with this id. Raises ValueError, LimitError."""
        known = self._reminders.get(id_)
        if known is None:
            return None
        zone = zone_name(zone)
        time = self._time(at, after, cron, zone)
        return self._put(replace(known, at=time, cron=cron, zone=zone if cron else ""))

    def cancel(self, id_: str) -> bool:
        """Remove one. False if there is none with this id."""
        if self._reminders.pop(id_, None) is None:
            return False
        self._set.pop(id_, None)
        if id_ in self._stored:
            self._cancelled.add(id_)
        return True

    def take(self) -> Reminder | None:
        """The reminder that the message is, which is done with it unless it comes again.

        None if it was cancelled or changed after its message had been sent.
        """
        id_, _, time = self._message.id.rpartition("@")
        found = self._reminders.get(id_)
        if found is None:
            self._cancelled.add(id_)  # no handler can reach its timer, if there still is one
            return None
        if float(time) < found.at or (not found.cron and self._message.id != occurrence(id_, found.at)):
            return None
        if not found.cron:
            del self._reminders[id_]
        return found

    def check(self, handlers: Iterable[str]) -> None:
        """Raise LimitError if there are too many, and ResultError if one that was set has none of the `handlers`."""
        missing = [each.handler for each in self._set.values() if each.handler not in ("", DIALOGUE, *handlers)]
        if missing:
            raise ResultError(f"no reminder handler {missing[0]!r}: write @bot.reminder({missing[0]!r})")
        waiting = sum(bool(each.cron) or each.at >= self._now for each in self._reminders.values())
        if waiting > MAX_REMINDERS:
            raise LimitError(
                f"{waiting} reminders in this conversation; at most {MAX_REMINDERS} can be set",
                "many_reminders",
                MAX_REMINDERS,
            )
        self._check_sizes()
        planned = len(self._set) + len(self._cancelled)
        if planned > MAX_PLANNED:
            raise LimitError(
                f"{planned} reminders set or cancelled at once; at most {MAX_PLANNED} can be",
                "reminders_at_once",
                MAX_PLANNED,
            )

    def _check_sizes(self) -> None:
        size = max((len(encode(each)) for each in self._set.values()), default=0)
        if size > MAX_REMINDER:
            raise LimitError(
                f"a reminder is {size} bytes of JSON; at most {MAX_REMINDER} can be stored", "long_reminder"
            )
        size = len(encode(self._reminders)) if self._set else 0
        if size > MAX_AGENDA:
            raise LimitError(
                f"the reminders of this conversation are {size} bytes of JSON; at most {MAX_AGENDA} can be stored",
                "too_much",
            )

    def _put(self, reminder: Reminder) -> Reminder:
        self._cancelled.discard(reminder.id)
        self._reminders[reminder.id] = self._set[reminder.id] = reminder
        return reminder

    def _next(self, reminder: Reminder) -> float:
        try:
            return next_time(reminder.cron, reminder.zone, self._now) if reminder.cron else reminder.at
        except ValueError:  # a time zone that this version does not know any more
            return reminder.at

    def _time(self, at: datetime | None, after: timedelta | None, cron: str, zone: str) -> float:
        if (at is not None) + (after is not None) + bool(cron) != 1:
            raise ValueError("a reminder needs one of at, after and cron")
        if cron:
            self._check_right(inf)
            return next_time(cron, zone, self._now)
        if not isinstance(after, timedelta | None) or not isinstance(at, datetime | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("write after=timedelta(minutes=5), or at=datetime(...)")
        if after is None and (at is None or at.tzinfo is None):
            raise ValueError('the time has no zone: write datetime(..., tzinfo=ZoneInfo("Asia/Shanghai"))')
        time = at.timestamp() if at is not None else floor(self._now + (after or timedelta()).total_seconds())
        if time >= _YEAR_9999:
            raise LimitError("the time is not before the year 9999", "far_reminder")
        self._check_right(time)
        return max(0, time)

    def _timer(self, reminder: Reminder) -> Timer:
        timer = timer_of(reminder, self._message, keeps_token=answers_only(self._message.platform))
        dialogue = self._dialogues.get(reminder.id)
        if dialogue is None or dialogue.scopes is None:
            return timer
        return replace(timer, login=LoginQuestion(place=dialogue.place, scopes=dialogue.scopes))

    def _check_right(self, until: float) -> None:
        """Raise LimitError if the bot may not write in the conversation until then."""
        context, platform = self._message.context, self._message.platform
        if answers_only(platform) and (not context.reply_token or until >= context.reply_token_expires):
            raise LimitError(
                f"a bot cannot write first on {platform}: a reminder can come once, within an hour of the message",
                "far_reminder",
            )


def _is_lost(reminder: Reminder, now: float) -> bool:
    """Whether the message of a reminder has failed for the last time: it can never be handled."""
    return not reminder.cron and reminder.at < now - _KEPT


def _belongs(reply: Reply, dialogue: str) -> bool:
    """Whether a button in `reply` belongs to the dialogue with that id."""
    cards = (segment for segment in reply.segments if isinstance(segment, Card))
    return any(button.value.startswith(f"{dialogue}.") for card in cards for button in card.buttons)
