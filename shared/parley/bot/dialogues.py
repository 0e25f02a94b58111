"""Dialogues: a handler that is a generator, yields questions and gets their answers, over many messages.

Nothing of a running generator is kept. The answers are stored with the decision on each message. With the next answer
the handler runs again from its start: the earlier answers are given to it at once, and what it says on the way is
dropped. So a dialogue survives the end of every process. What else a handler does has to wait for its last question,
because it would be done again: `Dialogue.run` raises ResultError otherwise. `Turn.once` is the exception.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from parley.bot.approvals import Admits, Approve
from parley.bot.conversions import ArgumentError
from parley.bot.handlers import Entry, name_of
from parley.bot.logins import LoggedIn, Login
from parley.bot.questions import Ask, Given, text_of
from parley.bot.replies import ReplyLike, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.errors import ParleyError, ResultError
from parley.model import Destination, Markdown, Message, Reply, message_key, reply_id
from parley.model.agenda import Answer, OpenDialogue
from parley.text import without_direction

Question = Ask | Approve | Login
Script = Generator[Question | ReplyLike | None, Any, Any]
"""A handler that asks questions: the annotation of what it returns."""


class ScriptChangedError(ParleyError):
    """The handler no longer asks the questions that were answered: the bot has been changed meanwhile."""


class RightLostError(ScriptChangedError):
    """The person may not do any more what the open question is about."""


class _NoAnswerError(ParleyError):
    """The message has no answer to the open question `ask`. `replies` are for the person who wrote it."""

    def __init__(self, ask: Question, replies: list[Reply]) -> None:
        super().__init__()
        self.ask = ask
        self.replies = replies


def began(entry: Entry, given: dict[str, Any] | str, message: Message, now: float) -> OpenDialogue:
    """A dialogue of the handler `entry` that begins with `message`."""
    return OpenDialogue(
        id=reply_id(message_key(message), "dialogue"),
        handler=name_of(entry.handler),
        registered=entry.registered,
        given=given,
        message=stripped(message),
        started=now,
    )


def without_last(dialogue: OpenDialogue) -> OpenDialogue:
    """`dialogue` as it was before its last answer, if its person can go back."""
    if not dialogue.can_go_back:
        return dialogue
    before = dialogue.answers[-1].question
    return replace(dialogue, answers=dialogue.answers[:-1], question=before, reminded=False, missed=False)


def ways_out(dialogue: OpenDialogue, texts: Texts) -> str:
    """What the person can write instead of an answer."""
    return texts.cancel_or_back if dialogue.can_go_back else texts.cancel


class Step(msgspec.Struct):
    """One run of a handler: `dialogue` is the one that goes on, or a new one without answers."""

    dialogue: OpenDialogue
    texts: Texts
    message: Message
    now: float
    """The message that is handled, and its time."""
    admits: Admits
    answer: Given | None = None
    asked: Question | None = None
    """The question that is open after the run."""
    _decided: Approve | Login | None = None
    """The approval or the login that the answer has decided."""
    _logins: int = 0
    """Logins that the handler has asked for in this run."""

    @property
    def is_refused(self) -> bool:
        """Whether the press has decided nothing, and the approval goes on waiting."""
        return self.dialogue.by_press and self.answer is None

    @contextmanager
    def at_start(self, turn: Turn) -> Generator[None]:
        """Inside the context, the turn is that of the first message of the dialogue."""
        message, now = turn.message, turn.now
        turn.message, turn.now = named(self.dialogue.message, self.message), self.dialogue.started
        try:
            yield
        finally:
            turn.message, turn.now = message, now

    def run(self, script: Script, turn: Turn) -> list[Reply]:
        """Run `script` to its next question or its end. Returns what it says.

        The turn is that of each answer while the script handles it, so that it says and asks the same again. Raises
        ScriptChangedError, ResultError.
        """
        said, held = len(turn.replies), list(turn.states.values())
        for each in held:
            each.watch()
        try:
            value = self._replay(script, turn)
            turn.message, turn.now = self.message, self.now
            ask, replies = self._next(script, value, turn)
        except _NoAnswerError as none:
            self.asked, self.answer = none.ask, None
            self.dialogue = replace(self.dialogue, missed=True)
            return none.replies
        finally:
            turn.message, turn.now = self.message, self.now
            spoken = len(turn.replies)
            script.close()
            del turn.replies[spoken:]  # what a `finally` says: the handler has not ended
        if self.answer is None and self.dialogue.question:
            # The open question is asked again: what comes before it was said already.
            del turn.replies[said:]
            replies = []
        replies = [*self.closing(), *replies]
        if ask is None:
            return replies
        if any(each.is_changed for each in held) or turn.plans.changes_reminders:
            raise ResultError(
                "a dialogue changes a state or a reminder before its last question; do it after the last one"
            )
        self._check_asked(ask, has_roles=turn.has_roles)
        if not isinstance(ask, Ask) and turn.plans.has_many_approvals(self.dialogue.id):
            return [*replies, Reply.of(self.texts.many_approvals)]
        self.asked = ask
        return [*replies, *self._question(ask, self.after().place)]

    def closing(self) -> list[Reply]:
        """The edits that close the cards of what the answer has decided."""
        if self._decided is None or self.answer is None:
            return []
        return self._decided.closed(self.answer, self.dialogue.cards, self.message, self.texts)

    def _check_asked(self, ask: Question, *, has_roles: bool) -> None:
        """Raise ResultError for a question that nobody can answer."""
        if not isinstance(ask, Ask):
            if not has_roles:
                ask.check_roles()
            ask.check_seen(self.dialogue.message, self.admits)
        elif not self.message.sender.id:
            raise ResultError("a schedule of a room has nobody to ask")

    def _question(self, ask: Question, place: str) -> list[Reply]:
        return ask.replies(place, self.message, self.texts)

    def _replay(self, script: Script, turn: Turn) -> Any:
        """Give the script the stored answers, and then the new one, which is the result. What it says is dropped.

        Raises ScriptChangedError, _NoAnswerError.
        """
        stored, said, value = self.dialogue.answers, len(turn.replies), None
        moments = [*((each.message, each.now) for each in stored), (self.message, self.now)]
        given = [*((Given.stored(each), each.question) for each in stored)]
        if self.answer is not None:
            given.append((self.answer, self.dialogue.question))
        for (answer, expected), (message, now) in zip(given, moments, strict=False):
            ask, _ = self._next(script, value, turn)
            del turn.replies[said:]
            if ask is None or ask.fingerprint != expected:
                raise ScriptChangedError
            turn.message, turn.now = named(message, self.message), now
            value = self._read(ask, answer, turn)
        return value

    def _next(self, script: Script, value: Any, turn: Turn) -> tuple[Question | None, list[Reply]]:
        """The next question, None at the end, and what is said before it."""
        replies: list[Reply] = []
        try:
            said = script.send(value)
            while True:
                if isinstance(said, Login):
                    said, self._logins = said.asked(turn, self._logins), self._logins + 1
                if isinstance(said, Ask | Approve | Login):
                    return said, replies
                if isinstance(said, LoggedIn):
                    said = script.send(said)
                else:
                    replies += replies_of(said)
                    said = script.send(None)
        except StopIteration as end:
            return None, [*replies, *replies_of(end.value)]

    def _read(self, ask: Question, given: Given, turn: Turn) -> Any:
        """The value of a stored answer, or of the new one. Raises ScriptChangedError, _NoAnswerError."""
        is_new = given is self.answer
        if is_new and not isinstance(ask, Ask):
            self._check(ask, given)
            self._decided = ask
        try:
            return ask.read(given, self.texts, turn.today)
        except ArgumentError as error:
            if not is_new:
                raise ScriptChangedError from error
            again = self._question(ask, self.dialogue.place)
            wrong = f"{error}\n{ways_out(self.dialogue, self.texts)}" if self.dialogue.missed else str(error)
            raise _NoAnswerError(ask, [Reply.of(wrong), *again]) from error

    def _check(self, ask: Approve | Login, given: Given) -> None:
        """Raise _NoAnswerError unless the press decides the approval."""
        refusal = ask.refusal(given, self.dialogue.message, self.admits, self.texts)
        if refusal and given.press is not None:
            again = ask.shown_again(given, self.dialogue.place, self.dialogue.message, self.texts)
            raise _NoAnswerError(ask, [told(given.press, refusal), *again])

    def after(self) -> OpenDialogue:
        """The dialogue after this run, with the message as an answer if it was one."""
        dialogue, given = self.dialogue, self.answer
        if given is not None and self.asked is not None:
            by = replace(given.by, departments=UNSET) if given.by is not None else None
            answer = Answer(
                question=dialogue.question,
                message=stripped(self.message),
                now=self.now,
                text=given.text,
                number=-1 if given.number is None else given.number,
                final=dialogue.by_press,
                by=by,
            )
            dialogue = replace(dialogue, answers=(*dialogue.answers, answer), cards=(), reminded=False, missed=False)
        if self.asked is None:
            return dialogue
        asked = self.asked
        dialogue = replace(dialogue, question=asked.fingerprint, by_press=asked.by_press)
        if not isinstance(asked, Ask):
            is_markdown = isinstance(asked.question, Markdown)
            text = without_direction(text_of(asked.question))
            scopes = asked.scopes if isinstance(asked, Login) else None
            return replace(dialogue, kept=(), text=text, markdown=is_markdown, room=asked.room, scopes=scopes)
        return replace(dialogue, kept=asked.kept, text="", markdown=False, room=None, scopes=None)


def told(press: Message, text: str) -> Reply:
    """A reply to the person who has pressed, where they did."""
    return replace(Reply.of(text), to=Destination.answering(press), private=True)


def stripped(message: Message) -> Message:
    """`message` without what is not stored: the platform's form, credentials, and a name that was fetched."""
    context = replace(message.context, reply_token="", reply_token_expires=0, awaits_reply=False)
    sender = message.sender
    if context.wants_name is True:
        sender = replace(sender, name="", departments=UNSET)
    return replace(message, raw=None, context=context, sender=sender)


def named(stored: Message, live: Message) -> Message:
    """`stored` with the name that was fetched for `live`, a later message of the same person."""
    if stored.context.wants_name is not True:
        return stored
    known = live.sender
    return replace(stored, sender=replace(stored.sender, name=known.name, departments=known.departments))
