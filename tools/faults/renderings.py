"""The renderings of the replies to each command on a platform, observed in simulations without faults."""

from random import Random

from playground.platforms.base import NewMessage, Press
from tools.faults.bot import PAIRED, REFUSED, make_bot
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
FOLLOWING = {"reminded": "remind", "sent": "notify"}
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


def renderings_of(target: Target) -> Renderings:
    """The renderings of the replies to each command of `target`. Raises ValueError for a command without replies."""
    renderings: Renderings = {}
    for command in target.all_commands:
        usual, active = (_observe(target, command, crash_callbacks=crash) for crash in (False, True))
        if not usual:
            raise ValueError(f"the bot does not reply to {command} on {target.title}")
        renderings[command] = [
            [usual.get(ordinal, []), *(other for other in (active.get(ordinal),) if other and other != usual[ordinal])]
            for ordinal in range(1 + max(usual))
        ]
    # If nobody can see it grow, the answer is a plain message.
    plain = _observe(target, "grow", crash_callbacks=False, at_once=0)
    renderings["grow"][0] += [plain[0]] if plain[0] not in renderings["grow"][0] else []
    if "unshown" in target.commands:
        undelivered = _observe(target, "unshown", of="undelivered", crash_callbacks=False)
        renderings["undelivered"] = [[undelivered.get(ordinal, [])] for ordinal in range(1 + max(undelivered))]
    renderings["break"][0].append(_observe(target, "ended", of="break", crash_callbacks=False)[0])
    renderings["declined"] = renderings["entrusted"][:1]  # the closed card, and no answer
    for command, decided in (("approve", "approved"), ("entrust", "entrusted")):
        closed = _observe(target, decided, of=command, crash_callbacks=False)
        renderings[command][0].append(closed[0])
    renderings["redeem"][0] += [[text.replace(PAIRED, REFUSED) for text in each] for each in renderings["redeem"][0]]
    return renderings


def _observe(
    target: Target, command: str, *, crash_callbacks: bool, of: str = "", at_once: float = 1
) -> dict[int, Rendering]:
    """The renderings of the replies to `command`, by ordinal. `of`: of those to an earlier command, after it.
    `at_once`: see `Simulation`.
    """
    plan = _CrashedCallbacks()
    seconds = BOT_SECONDS_OF.get(command, BOT_SECONDS)
    sim = Simulation((target,), plan, make_bot(), Random(0), at_once=at_once, bot_seconds=seconds)
    platform = sim.platforms[target.name]
    if command in FOLLOWING:
        plan.armed = crash_callbacks
        platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(FOLLOWING[command], SAMPLE)))
    elif command in PRESSED:
        before, button = PRESSED[command]
        platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(before, SAMPLE)))
        sim.settle()
        card = next(m.id for m in platform.messages.values() if m.sender_kind == "bot")
        plan.armed = crash_callbacks
        platform.press(APP, card, "lin", Press(button=button))
    else:
        if command in PREPARED:
            platform.send_message(APP, target.room, "lin", NewMessage(text=target.text(PREPARED[command], SET_UP)))
            sim.settle()
        plan.armed = crash_callbacks
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
