"""How the replies to each command look at a platform, seen in worlds without trouble."""

from random import Random

from playground.platforms.base import NewMessage, Press
from tools.faults.bot import make_bot
from tools.faults.seen import entries
from tools.faults.subjects import APP, Subject
from tools.faults.trouble import CallSite, Fault, Plan
from tools.faults.world import World

SAMPLE = "sample"
"""The mark of the messages whose replies are looked at."""
Form = list[str]
"""The messages that a reply makes."""
Forms = dict[str, list[list[Form]]]
"""For each command, for each of its replies: every form that it may take."""


class _Unheard(Plan):
    """While it is armed, no callback lives to give an answer: what could be said so is said otherwise."""

    def decide(self, call: CallSite) -> Fault | None:
        """The callback dies once the message is in the queue."""
        queued = call.stage == "callback" and not call.platform and call.kind == "SendMessage"
        return Fault.CRASH_AFTER if self.armed and queued else None


def forms_of(subject: Subject) -> Forms:
    """How the replies to each command look at `subject`'s platform. Raises ValueError for a command without any."""
    forms: Forms = {}
    for command in subject.all_commands:
        heard, unheard = (_seen(subject, command, unheard=unheard) for unheard in (False, True))
        if not heard:
            raise ValueError(f"{subject.title} says nothing to {command}")
        forms[command] = [
            [heard[number], *(form for form in (unheard.get(number),) if form and form != heard[number])]
            for number in sorted(heard)
        ]
    return forms


def _seen(subject: Subject, command: str, *, unheard: bool) -> dict[int, Form]:
    """What is said to `command`, by the reply's number."""
    plan = _Unheard()
    world = World((subject,), plan, make_bot(), Random(0))
    platform = world.platforms[subject.name]
    if command == "press":
        platform.send_message(APP, subject.room, "lin", NewMessage(text=subject.said("card", SAMPLE)))
        world.settle()
        card = next(m.id for m in platform.messages.values() if m.sender_kind == "bot")
        plan.armed = unheard
        platform.press(APP, card, "lin", Press(button="Press"))
    else:
        plan.armed = unheard
        platform.send_message(APP, subject.room, "lin", NewMessage(text=subject.said(command, SAMPLE)))
    world.settle()
    replies: dict[int, Form] = {}
    for entry in entries(platform):
        if entry.key is not None and entry.key.message == f"{SAMPLE}{'-pressed' * (command == 'press')}":
            replies.setdefault(entry.key.ordinal, []).append(entry.text)
    return replies
