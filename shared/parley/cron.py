"""Cron expressions in a time zone. Daylight saving time is handled as Debian's cron does: an hour that is left out is
made up for, and one that comes twice counts once.
"""

from datetime import datetime


def next_time(expression: str, zone: str, after: float) -> float:
    """The first unix second after `after` at which `expression` comes true in the time zone `zone`.

    Raises ValueError if one of the two is not valid, or if the expression never comes true.
    """
    # Imported here: only a bot with such reminders pays for it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    try:
        return next(CronSim(expression, datetime.fromtimestamp(after, ZoneInfo(zone)))).timestamp()
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"no time zone {zone!r}; write one like Asia/Shanghai") from error
    except CronSimError as error:
        raise ValueError(f"no cron expression {expression!r}: {error}") from error
    except StopIteration:
        raise ValueError(f"the cron expression {expression!r} never comes true") from None
