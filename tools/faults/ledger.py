"""What a world keeps: its time, and what happened to each reply."""

from dataclasses import dataclass, field

START = 1_800_000_000.0


@dataclass(slots=True)
class Clock:
    """The world's time, in unix seconds."""

    now: float = START

    def __call__(self) -> float:
        """Now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += max(0.0, seconds)


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
