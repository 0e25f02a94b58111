"""Days in time zones."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo


def zone_name(zone: Any) -> str:
    """The name of a time zone, of a text or a `ZoneInfo`. Raises TypeError for everything else."""
    name = zone if isinstance(zone, str) else getattr(zone, "key", None)
    if not isinstance(name, str):
        raise TypeError(f'zone={zone!r}: write the name of a time zone, such as zone="Asia/Shanghai"')
    return name


def day_of(time: float, zone: "str | ZoneInfo") -> "date":
    """The day of the unix second `time` in a time zone. Raises ValueError if there is no such zone, and TypeError as
    `zone_name`.
    """
    zone = zone_name(zone)
    from datetime import datetime  # noqa: PLC0415  # most bots do not pay for it
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    try:
        return datetime.fromtimestamp(time, ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:  # OSError: a folder of zones
        raise ValueError(f"no time zone {zone[:40]!r}; write one like Asia/Shanghai") from error
