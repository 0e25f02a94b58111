"""How often and how long an account may write to a person. Facts: WeChat docs, Customer-service messages."""

from dataclasses import dataclass, field

from playground.platforms.tencent.errors import TencentError

_MINUTE = (60.0, 3)
_WINDOWS = {"message": (48 * 3600.0, 5), "CLICK": _MINUTE, "subscribe": _MINUTE, "SCAN": _MINUTE}
"""Seconds and number of messages, by the person's action."""
TYPING_SECONDS = 30.0
Key = tuple[str, str]
"""An app and a person."""


@dataclass(slots=True)
class _Window:
    expires: float
    remaining: int


@dataclass(slots=True)
class MessageWindows:
    """The messages that each account may still send to each person."""

    _windows: dict[Key, dict[str, _Window]] = field(default_factory=dict[Key, dict[str, _Window]])
    _last_activity: dict[Key, float] = field(default_factory=dict[Key, float])

    def record_activity(self, key: Key, action: str, now: float) -> None:
        """The person did something. It opens a window, or opens it again."""
        self._last_activity[key] = now
        if action in _WINDOWS:
            seconds, count = _WINDOWS[action]
            self._windows.setdefault(key, {})[action] = _Window(now + seconds, count)

    def close(self, key: Key) -> None:
        """Close all windows."""
        self._windows.pop(key, None)
        self._last_activity.pop(key, None)

    def count_message(self, key: Key, now: float) -> None:
        """Count one message, in the window that expires first. Raises TencentError."""
        windows = [one for one in self._windows.get(key, {}).values() if one.expires > now]
        if not windows:
            raise TencentError(45015, "response out of time limit or subscription is canceled")
        usable = [one for one in windows if one.remaining]
        if not usable:
            raise TencentError(45047, "out of response count limit")
        min(usable, key=lambda one: one.expires).remaining -= 1

    def check_typing(self, key: Key, now: float) -> None:
        """Raises TencentError if the person did nothing in the last 30 seconds."""
        if now - self._last_activity.get(key, float("-inf")) > TYPING_SECONDS:
            raise TencentError(45080, "the user has not been active for the last 30 seconds")
