"""The open dialogues of a conversation: which one a message belongs to, and how it goes on."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from parley.bot import dialogues
from parley.bot.addressing import is_before, typed_command
from parley.bot.approvals import TIMED_OUT, Admits, closed_after, forwarded, is_press, pressed_in
from parley.bot.dialogues import RightLostError, ScriptChangedError, Step, told
from parley.bot.handlers import CommandHandler, Entry, name_of
from parley.bot.logins import ended_in
from parley.bot.questions import Given, given_in, way_out
from parley.bot.reminders import DIALOGUE, Reminders
from parley.bot.replies import Replies, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.model import Content, Markdown, Message, Reply, Text, message_key
from parley.model.agenda import REMINDER, Agenda, Failure, OpenDialogue, Reminder

Call = Callable[[Entry, Turn, Mapping[str, Any] | str, Texts], Replies]
"""Runs a handler with arguments."""
_NOTHING: Replies = ()


def failure_of(message: Message, agenda: Agenda) -> Failure | None:
    """The failure of the dialogue that `message` brings on without an answer of its person: by a press under an
    approval, or because a time is over. None for every other message.
    """
    press = pressed_in(message) or ended_in(message)
    if press is not None:
        return Failure(place=press.place, press=press.press)
    if message.event != REMINDER:
        return None
    plans = Reminders(message, 0, agenda)
    reminder = plans.take()
    dialogue = plans.reminded(reminder) if reminder is not None and reminder.handler == DIALOGUE else None
    return Failure(place=dialogue.place) if dialogue is not None else None


class OpenDialogues(msgspec.Struct):
    """The dialogues of the conversation of `turn`. `call` runs one of the handlers `entries`, and `admission` returns
    whether the person may use one (`Bot._admission`).
    """

    turn: Turn
    texts: Texts
    entries: Callable[[], Iterable[Entry]]
    call: Call
    admits: Admits
    admission: Callable[[Entry, Turn], tuple[bool, str | None]]

    def answered(self, find: Callable[[str], CommandHandler | None]) -> Replies:
        """What follows in the dialogue that the message belongs to; None if it is for another handler.

        `find` finds a command of the bot by its name. A command is no answer.
        """
        message, plans = self.turn.message, self.turn.plans
        if is_press(message):
            return self._forward()
        if (pressed := pressed_in(message) or ended_in(message)) is not None:
            return self._pressed(pressed)
        dialogue, given = plans.dialogue, given_in(message)
        if given is not None:
            is_open = dialogue is not None and given.place == dialogue.place
            return self._answered(dialogue, given) if dialogue and is_open else self.texts.question_over
        if dialogue is None or message.kind != "message" or not self.turn.addressed:
            return None
        if is_before(message, dialogue.asked):
            return None
        if typed_command(self.turn.text, find):
            return None
        return self._answered(dialogue, Given(text=self.turn.text, files=message.content.attachments))

    def _answered(self, dialogue: OpenDialogue, given: Given) -> Replies:
        """What follows in `dialogue`; None if its handler takes the text for a new message. The dialogue ends then."""
        message = self.turn.message
        if given.number is not None or way_out(given.text, dialogue.kept) or self._takes(dialogue, given):
            return self._answer(dialogue, given)
        self.turn.plans.end(dialogue)
        if message.action is not None:  # the text of a form
            text = Content(text=given.text)
            self.turn.message = replace(message, kind="message", action=None, content=text)
        return None

    def _takes(self, dialogue: OpenDialogue, given: Given) -> bool:
        """Whether `given` is an answer for the handler of `dialogue`, as far as it says so (`Entry.answers`)."""
        entries = (each for each in self.entries() if name_of(each.handler) == dialogue.handler and each.answers)
        return all(each.answers(self.turn, dialogue, given) for each in entries if each.answers)

    def _answer(self, dialogue: OpenDialogue, given: Given) -> Replies:
        match way_out(given.text, dialogue.kept):
            case "cancel":
                self.turn.plans.end(dialogue)
                return self.texts.cancelled
            case "back":
                question = self._go_on(dialogues.without_last(dialogue), None)
                return question if dialogue.can_go_back else [self.texts.no_back, *question]
            case _:
                return self._go_on(dialogue, given)

    def waited(self, reminder: Reminder) -> Replies:
        """What follows when the time that `reminder` stands for is over.

        A question is asked again after half of its time, and the dialogue ends after the other half. An approval is
        decided: its time is over.
        """
        dialogue = self.turn.plans.reminded(reminder)
        if dialogue is None:
            return None
        if dialogue.by_press:
            return self._timed_out(dialogue)
        if dialogue.reminded:
            self.turn.plans.end(dialogue)
            return self.texts.timed_out
        asked = replace(dialogue, reminded=True)
        question = self._go_on(asked, None)
        if self.turn.plans.dialogue is dialogue:  # the middleware has not run the handler, so there is no timer
            self.turn.plans.wait(asked, self.turn.now - dialogue.asked)
            return question
        if self.turn.plans.at(dialogue.place) is None:  # the handler was changed
            return question
        return [f"{self.texts.still_there}\n{dialogues.ways_out(dialogue, self.texts)}", *question]

    def _timed_out(self, dialogue: OpenDialogue) -> Replies:
        """End the wait for an approval, also if the middleware does not run the handler."""
        replies = self._go_on(dialogue, Given(number=TIMED_OUT))
        if self.turn.plans.at(dialogue.place) is not dialogue:
            return replies
        self.turn.plans.end(dialogue)
        return [*self._ended(dialogue, Failure(place=dialogue.place), self.texts.timed_out_approval), *replies]

    def failed(self) -> Replies:
        """End the dialogue that the message says cannot go on (`model.agenda.FAILED`), and tell the person.

        Nothing follows if another question is open meanwhile.
        """
        failure, plans = msgspec.convert(self.turn.message.raw, Failure), self.turn.plans
        dialogue = plans.at(failure.place)
        if dialogue is None:
            return None
        plans.end(dialogue)
        text = self.texts.not_delivered if failure.undelivered else self.texts.failed
        return self._ended(dialogue, failure, text)

    def _ended(self, dialogue: OpenDialogue, failure: Failure, text: str) -> list[Reply]:
        """The edits that close the cards of an approval that has ended, and `text` for the person who asked."""
        closed = closed_after(failure, dialogue, self.turn, self.texts) if dialogue.by_press else []
        if not text:
            return closed
        if dialogue.markdown:
            return [*closed, Reply(segments=(Markdown(text=dialogue.text), Text(text=f"\n{text}")))]
        return [*closed, Reply.of("\n".join(filter(None, (dialogue.text, text))))]

    def _forward(self) -> Replies:
        """Bring a press under an approval into the conversation of the dialogue."""
        message = self.turn.message
        id_ = (message.action.value if message.action else "").partition(".")[0]
        timer = self.turn.find_timer(id_)
        if timer is None:
            return [told(message, self.texts.decided)]
        self.turn.plans.send(forwarded(message, timer, self.turn.now, admitted=self.admits(None, message)))
        return _NOTHING

    def _pressed(self, given: Given) -> Replies:
        if given.number is None:
            return _NOTHING  # no button has this value
        dialogue = self.turn.plans.waiting(given.place.partition(".")[0])
        if dialogue is not None and given.place == dialogue.place:
            return self._go_on(dialogue, given)
        return [told(given.press, self.texts.decided)] if given.press is not None else _NOTHING

    def _entries(self, dialogue: OpenDialogue) -> list[Entry]:
        """The handler of `dialogue`, with each of its rules. Raises ScriptChangedError if the bot does not have it any
        more, or if several could be it.
        """
        named = [each for each in self.entries() if name_of(each.handler) == dialogue.handler]
        # A dialogue of an earlier version does not say what its handler is registered for.
        found = [each for each in named if dialogue.registered in ("", each.registered)]
        if not found or any(each.handler != found[0].handler for each in found):
            raise ScriptChangedError
        return found

    def _go_on(self, dialogue: OpenDialogue, given: Given | None) -> list[Reply]:
        """Run the handler of `dialogue` again: to its open question, or with the answer `given` to the next one."""
        turn = self.turn
        message, now = turn.message, turn.now
        turn.results.go_on(message_key(dialogue.message), dialogue.results)
        answer = replace(given, at=now) if given is not None else None
        turn.step = Step(dialogue, self.texts, message, now, self.admits, answer)
        try:
            entries = self._entries(dialogue)
            refusals = [None if message.kind == "event" else self._refused(each, turn.step) for each in entries]
            if None not in refusals:
                turn.plans.end(dialogue)
                return [Reply.of(refusals[0] or self.texts.question_over)]
            return list(replies_of(self.call(entries[refusals.index(None)], turn, dialogue.given, self.texts)))
        except ScriptChangedError as error:
            turn.plans.end(dialogue)
            press = given.press if given is not None else None
            text = self.texts.right_lost if isinstance(error, RightLostError) else self.texts.script_changed
            return self._ended(dialogue, Failure(place=dialogue.place, press=press), text)
        finally:
            turn.step = None

    def _refused(self, entry: Entry, step: Step) -> str | None:
        """None if the person may still use the handler; else the text for them, which may be empty.

        The rule of the handler is for the first message. It is looked at again for what the person is now.
        """
        turn = self.turn
        with step.at_start(turn):
            turn.message = replace(turn.message, sender=step.message.sender)
            return self.admission(entry, turn)[1]
