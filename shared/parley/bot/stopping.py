"""What a person is told who has sent `/stop`."""

from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.model.stop import is_stop


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
