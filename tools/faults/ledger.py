"""The ledger of a world: which faults hit which replies and deliveries. The oracle reads it afterwards."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Ledger:
    """What happened to each reply while it was in a worker's hands."""

    doubtful: set[str] = field(default_factory=set[str])
    """Replies whose worker died, stalled or lost an answer."""
    refused: set[str] = field(default_factory=set[str])
    """Replies of which the platform has refused a call for good, by rules of its own."""
    disturbed: set[str] = field(default_factory=set[str])
    """Deliveries whose callback died, stalled, met trouble or whose answer came late or never: by the journal's id."""
    carried: dict[tuple[str, str], set[str]] = field(default_factory=dict[tuple[str, str], set[str]])
    """The replies that an answer within a callback says, or begins to: by the message's id and the answer's record."""
    over_limit: list[str] = field(default_factory=list[str])
    """Calls that the platform refused for their rate, although nobody had told it to."""
    calls: int = 0
