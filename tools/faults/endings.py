"""The oracle of dialogues that cannot go on: each one ends once, and its person is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from parley.journal.states import ReplyState
from parley.model import Message
from tools.faults.bot import ENDED, UNDELIVERED, dialogue_tag
from tools.faults.transcript import ReplyKey

_TAG = 8
"""Characters of the tag of a dialogue, with which the tags of what follows in it begin."""


@dataclass(slots=True)
class Endings:
    """What `accepted` says of dialogues that have ended: the commands and the tags of the messages."""

    accepted: Sequence[tuple[str, str, Message]]
    ended: frozenset[str] = field(init=False)
    """The tags of dialogues whose handler has failed after a press for the last time."""
    rejected: frozenset[str] = field(init=False)
    """The tags of the endings of other dialogues than those of `unshown`: the platform has rejected the card, because
    it allows only a few replies to each message. It may reject the replies of the ending too."""

    def __post_init__(self) -> None:
        self.ended = frozenset(tag[:_TAG] for command, tag, _ in self.accepted if command == ENDED)
        unshown = {dialogue_tag(message) for command, _, message in self.accepted if command == "unshown"}
        endings = {tag for command, tag, _ in self.accepted if command == UNDELIVERED}
        self.rejected = frozenset(tag for tag in endings if tag[:_TAG] not in unshown)

    def is_of(self, tag: str) -> bool:
        """Whether `tag` is of what would have followed in a dialogue that has ended."""
        return tag[:_TAG] in self.ended

    def key_of(self, command: str, tag: str, ordinal: int) -> ReplyKey:
        """The key of a reply. The card of `unshown` in the other room is at no platform: the next one is the first."""
        return ReplyKey(tag, ordinal - (command == "unshown"))

    def may_lack(self, key: ReplyKey, states: Mapping[ReplyKey, ReplyState]) -> bool:
        """Whether a reply need not be there: the dialogue has ended, or it has gone on before it could end.

        A worker that stalls in the last attempt may still decide the press.
        """
        if key.message in self.rejected:
            return True
        tag, _, end = key.message.partition("-")
        if tag not in self.ended:
            return False
        return end == "approved" or (end == ENDED and ReplyKey(f"{tag}-approved", 1) in states)

    def lost(self, states: Mapping[ReplyKey, ReplyState]) -> Iterator[str]:
        """The dialogues that should have ended and have not."""
        there = {(command, tag) for command, tag, _ in self.accepted}
        broken = {dialogue_tag(message) for command, _, message in self.accepted if command == "break"}
        for command, tag, message in self.accepted:
            if command == "approved" and tag[:_TAG] in broken and (ENDED, f"{tag[:_TAG]}-{ENDED}") not in there:
                yield f"{tag}: its dialogue has not ended"
            if command == "unshown":
                card, end = states.get(ReplyKey(tag, -1)), f"{dialogue_tag(message)}-{UNDELIVERED}"
                may_be_there = card is ReplyState.UNKNOWN
                if card not in (ReplyState.FAILED, ReplyState.UNKNOWN) or not (
                    may_be_there or (UNDELIVERED, end) in there
                ):
                    yield f"{tag}: its card is {card}, and its dialogue has not ended"
