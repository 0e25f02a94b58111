"""How often and how long an account may write to a person. Facts: WeChat docs, Customer-service messages."""

from dataclasses import dataclass, field

from playground.platforms.tencent.errors import Refused

_MINUTE = (60.0, 3)
_WINDOWS = {"message": (48 * 3600.0, 5), "CLICK": _MINUTE, "subscribe": _MINUTE, "SCAN": _MINUTE}
"""Seconds and messages, by what the person did."""
TYPING_SECONDS = 30.0
Key = tuple[str, str]
"""An app and a person."""


@dataclass(slots=True)
class _Window:
    until: float
    left: int


@dataclass(slots=True)
class Allowances:
    """What each person still allows each account."""

    _windows: dict[Key, dict[str, _Window]] = field(default_factory=dict[Key, dict[str, _Window]])
    _last_activity: dict[Key, float] = field(default_factory=dict[Key, float])

    def record_activity(self, key: Key, action: str, now: float) -> None:
        """The person did something: it opens a window, or opens it anew."""
        self._last_activity[key] = now
        if action in _WINDOWS:
            seconds, count = _WINDOWS[action]
            self._windows.setdefault(key, {})[action] = _Window(now + seconds, count)

    def close(self, key: Key) -> None:
        """All windows end."""
        self._windows.pop(key, None)
        self._last_activity.pop(key, None)

    def take(self, key: Key, now: float) -> None:
        """Count one message, in the window that ends first. Raises Refused."""
        windows = [one for one in self._windows.get(key, {}).values() if one.until > now]
        if not windows:
            raise Refused(45015, "response out of time limit or subscription is canceled")
        left = [one for one in windows if one.left]
        if not left:
            raise Refused(45047, "out of response count limit")
        min(left, key=lambda one: one.until).left -= 1

    def check_typing(self, key: Key, now: float) -> None:
        """Refuse to show that somebody is typing where the person did nothing in the last half minute."""
        if now - self._last_activity.get(key, float("-inf")) > TYPING_SECONDS:
            raise Refused(45080, "the user has not been active for the last 30 seconds")
