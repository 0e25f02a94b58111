"""What a person is told who has sent `/stop`."""

from collections.abc import Iterable

from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.model.commands import CommandSpec
from parley.model.stop import STOP_COMMANDS, is_stop

_SPEC = CommandSpec(name=STOP_COMMANDS[0], help="Stop what runs", helps={"zh-CN": "停止正在运行的任务"})


def specs(names: Iterable[str]) -> list[CommandSpec]:
    """The command that stops a language model, for platforms that show registered commands only. None if the bot has
    such a command of its own, or a sub-command of it. `names`: those of its commands.
    """
    return [] if any(name.split()[0] in STOP_COMMANDS for name in names) else [_SPEC]


def stopped(turn: Turn, texts: Texts) -> str | None:
    """The text if the message has stopped a run; None if it has not."""
    if not is_stop(turn.message) or not turn.find_stopped():
        return None
    _end_dialogue(turn)
    return texts.stopped


def nothing_runs(turn: Turn, texts: Texts) -> str:
    """The text if there was nothing to stop. A question that is open for the person is no longer."""
    return texts.cancelled if _end_dialogue(turn) else texts.nothing_runs


def _end_dialogue(turn: Turn) -> bool:
    """End the dialogue with the person. False if there is none."""
    dialogue = turn.plans.dialogue
    if dialogue is not None:
        turn.plans.end(dialogue)
    return dialogue is not None
