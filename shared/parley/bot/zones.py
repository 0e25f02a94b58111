"""Days in time zones."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


def day_of(time: float, zone: str) -> "date":
    """The day of the unix second `time` in a time zone. Raises ValueError if there is no such zone."""
    from datetime import datetime  # noqa: PLC0415  # most bots do not pay for it
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    try:
        return datetime.fromtimestamp(time, ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:  # OSError: a folder of zones
        raise ValueError(f"no time zone {zone[:40]!r}; write one like Asia/Shanghai") from error
