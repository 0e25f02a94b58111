"""The renderings of the replies to each command on a platform, observed in simulations without faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from playground.platforms.base import NewMessage, Press
from tools.faults.bot import PAIRED, REFUSED, make_bot
from tools.faults.model import CALL
from tools.faults.policies import CallSite, Fault, FaultPlan
from tools.faults.simulation import BOT_SECONDS, Simulation
from tools.faults.targets import APP, Target
from tools.faults.transcript import transcript

SAMPLE = "sample"
"""The tag of the messages whose replies are observed."""
SET_UP = "set-up"
"""The tag of the command in `PREPARED`."""
PRESSED = {
    "press": ("card", "Press"),
    "answered": ("ask", "go"),
    "approved": ("approve", "Approve"),
    "ended": ("break", "Approve"),
    "entrusted": ("entrust", "Approve"),
}
"""What a person presses: the command whose reply has the button, and its label."""
PREPARED = {"redeem": "invite", "numbered": "form"}
"""What a person sends after the reply to another command."""
FOLLOWING = {"reminded": "remind", "sent": "notify", "scheduled": "schedule"}
"""What comes without a person: the command after which it comes."""
SUFFIXES = {
    "press": "-pressed",
    "reminded": "-reminded",
    "answered": "-answered",
    "approved": "-approved",
    "ended": "-ended",
    "undelivered": "-undelivered",
    "entrusted": "-approved",
    "declined": "-approved",
    "sent": "-sent",
    "scheduled": "-scheduled",
}
"""The ends of the tags of replies to what is no command."""
BOT_SECONDS_OF = {"minutes": 300.0}
"""The parameter `BotSeconds` for commands that need more time."""
_SLOW = {"minutes", "grow"}
_OF_DIALOGUES = {"-answered", "-approved", "-ended", "-undelivered"}
Rendering = list[str]
"""The texts of the messages that one reply becomes."""
Renderings = dict[str, list[list[Rendering]]]
"""For each command, for each of its replies: all renderings that are right."""


class _CrashedCallbacks(FaultPlan):
    """While it is armed, every callback crashes before its response. So no reply is rendered as a passive reply."""

    def decide(self, call: CallSite) -> Fault | None:
        """Crash after the message is in the queue."""
        queued = call.stage == "callback" and not call.platform and call.kind == "SendMessage"
        return Fault.CRASH_AFTER if self.armed and queued else None


@dataclass(slots=True, kw_only=True)
class _First(FaultPlan):
    """While it is armed, the first `times` calls for which `at` is true have the `fault`. `at` gets the kinds of the
    calls before it, too.
    """

    fault: Fault
    at: Callable[[CallSite, list[str]], bool]
    times: int = 1

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of that call."""
        if not self.armed:
            return None
        if self.at(call, self.calls):
            self.times -= 1
            self.armed = self.times > 0
            return self.fault
        self.calls.append(call.kind)
        return None


def _lost(fault: Fault) -> FaultPlan:
    """The first call of the platform fails."""
    return _First(fault=fault, at=lambda call, _: call.platform)


def _slow_models() -> Iterator[FaultPlan]:
    """Time passes while the model answers, enough for people to see its text: it is asked again, or the store is."""
    yield _First(fault=Fault.RESPONSE_LOST, at=lambda call, _: call.kind == CALL, times=2)
    yield _First(fault=Fault.RESPONSE_LOST, at=lambda call, before: call.kind == CALL and CALL in before, times=2)
    yield _First(fault=Fault.ERROR, at=lambda call, before: call.kind == "UpdateItem" and CALL in before)


def renderings_of(target: Target) -> Renderings:
    """The renderings of the replies to each command of `target`. Raises ValueError for a command without replies."""
    renderings: Renderings = {}
    for command in target.all_commands:
        usual, active = _observe(target, command), _observe(target, command, plan=_CrashedCallbacks())
        if not usual:
            raise ValueError(f"the bot does not reply to {command} on {target.title}")
        renderings[command] = [
            [usual.get(ordinal, []), *(other for other in (active.get(ordinal),) if other and other != usual[ordinal])]
            for ordinal in range(1 + max(usual))
        ]
    # If nobody can see it grow, the answer is a plain message.
    _add(renderings["grow"], _observe(target, "grow", at_once=0))
    if "unshown" in target.commands:
        undelivered = _observe(target, "unshown", of="undelivered")
        renderings["undelivered"] = [[undelivered.get(ordinal, [])] for ordinal in range(1 + max(undelivered))]
        # If it is unknown whether the card is there, it may stay open, and the closed one is a message of its own.
        for fault in (Fault.ERROR, Fault.RESPONSE_LOST):
            for command, of in (("unshown", ""), ("undelivered", "undelivered")):
                _add(renderings[command], _observe(target, "unshown", of=of, plan=_lost(fault)))
    for command in ("consult", "entrusted"):
        for plan in _slow_models() if command in renderings else ():  # people see the text so far
            _add(renderings[command], _observe(target, command, plan=plan))
    _add_endings(target, renderings)
    return renderings


def _add_endings(target: Target, renderings: Renderings) -> None:
    """Add what takes the place of the replies to commands, after a press or a second use."""
    if "break" in target.commands:
        renderings["break"][0].append(_observe(target, "ended", of="break")[0])
    for command, decided in (("approve", "approved"), ("entrust", "entrusted")):
        if command in target.commands:
            closed = _observe(target, decided, of=command)
            renderings[command][0].append(closed[0])
    if "entrust" in target.commands:
        renderings["declined"] = renderings["entrusted"][:1]  # the closed card, and no answer
    if "redeem" in target.commands:
        used = [[text.replace(PAIRED, REFUSED) for text in each] for each in renderings["redeem"][0]]
        renderings["redeem"][0] += used


def _add(known: list[list[Rendering]], observed: dict[int, Rendering]) -> None:
    """Add renderings that are right too, by the ordinal of the reply."""
    for ordinal, rendering in observed.items():
        if rendering not in known[ordinal]:
            known[ordinal].append(rendering)


def _observe(
    target: Target, command: str, *, plan: FaultPlan | None = None, of: str = "", at_once: float = 1
) -> dict[int, Rendering]:
    """The renderings of the replies to `command`, by ordinal. `of`: of those to an earlier command, after it. `plan`:
    the faults of the command. `at_once`: see `Simulation`.
    """
    plan = plan or FaultPlan()
    seconds = BOT_SECONDS_OF.get(command, BOT_SECONDS)
    sim = Simulation((target,), plan, make_bot(), Random(0), at_once=at_once, bot_seconds=seconds)
    platform = sim.platforms[target.name]
    if command in FOLLOWING:
        plan.armed = True
        platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(FOLLOWING[command], SAMPLE)))
    elif command in PRESSED:
        before, button = PRESSED[command]
        platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(before, SAMPLE)))
        sim.settle()
        card = next(m.id for m in platform.messages.values() if m.sender_kind == "bot")
        plan.armed = True
        platform.press(APP, card, "lin", Press(button=button))
    else:
        if command in PREPARED:
            platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(PREPARED[command], SET_UP)))
            sim.settle()
        plan.armed = True
        platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(command, SAMPLE)))
    sim.settle()
    if command in FOLLOWING or command in PRESSED or command in _SLOW:
        # An account that may not call says it with the next passive reply.
        platform.send_message(APP, target.room, "lin", NewMessage(text=target.text("count", "behind")))
        sim.settle()
    suffix = SUFFIXES.get(of or command, "")
    replies: dict[int, Rendering] = {}
    for entry in transcript(platform):
        # The reply to an answer has a tag of its own: that of the dialogue.
        tag, found, _ = entry.key.message.partition(suffix or "-") if entry.key is not None else ("", "", "")
        if found == suffix and (tag == SAMPLE or suffix in _OF_DIALOGUES) and entry.key is not None:
            replies.setdefault(entry.key.ordinal, []).append(entry.text.replace(tag, SAMPLE))
    return replies
