"""The ledger of a simulation: which faults hit which replies and deliveries. The oracle reads it afterwards."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Ledger:
    """Facts about one run that only the simulation knows."""

    uncertain: set[str] = field(default_factory=set[str])
    """Ids of replies whose delivery had a fault that can leave a call's outcome unknown."""
    rejected: set[str] = field(default_factory=set[str])
    """Ids of replies that the platform rejected for good, by its own rules."""
    disrupted: set[str] = field(default_factory=set[str])
    """Ids of messages whose callback had a fault, or whose response came late or never."""
    passive_replies: dict[tuple[str, str], set[str]] = field(default_factory=dict[tuple[str, str], set[str]])
    """Ids of the replies that a passive reply contains, also in part; by the message's id and the stored response."""
    over_limit: list[str] = field(default_factory=list[str])
    """Calls that exceeded a rate limit of the platform although no fault was injected."""
    unnoticed: list[float] = field(default_factory=list[float])
    """Seconds from the death of each worker of the inbound queue until another one got its record."""
    api_calls: int = 0
    """Calls to platforms."""
