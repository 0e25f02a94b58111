"""The findings of a run."""

from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Findings:
    """The findings of the oracle. The run is good if the first five lists are empty."""

    lost: list[str] = field(default_factory=list[str])
    """Replies that are not at the platform. What never reached the queue: messages, reminders, what programs sent."""
    duplicated: list[str] = field(default_factory=list[str])
    """Replies that are at the platform more than once, and messages that belong to no reply."""
    out_of_order: list[str] = field(default_factory=list[str])
    """Replies in the wrong order, and counters that a message has increased twice or not at all."""
    unexplained: list[str] = field(default_factory=list[str])
    """Replies that ended as UNKNOWN without a fault that explains it."""
    over_limit: list[str] = field(default_factory=list[str])
    """Calls that exceeded a rate limit of the platform."""
    unknown: list[str] = field(default_factory=list[str])
    """Replies that ended as UNKNOWN."""
    rejected: list[str] = field(default_factory=list[str])
    """Replies beyond the number that the platform allows: FAILED, or deferred to the person's next message."""
    delayed: list[str] = field(default_factory=list[str])
    """Passive replies that got lost and came with a later delivery, after other replies."""
    redriven: list[str] = field(default_factory=list[str])
    """Messages that were in a dead-letter queue and that the operator sent back."""

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.duplicated or self.out_of_order or self.unexplained or self.over_limit)

    def add(self, other: "Findings") -> None:
        """Append the findings of another run."""
        for each in fields(self):
            getattr(self, each.name).extend(getattr(other, each.name))
