"""Cron expressions in a time zone. Daylight saving time is handled as Debian's cron does: an hour that is left out is
made up for, and one that comes twice counts once.
"""

from datetime import datetime

_FIELDS = 5
"""Minute, hour, day, month, day of the week. cronsim also takes a sixth one, for seconds."""


def next_time(expression: str, zone: str, after: float) -> float:
    """The first unix second after `after` at which `expression` comes true in the time zone `zone`.

    Raises ValueError if one of the two is not valid, or if the expression never comes true, and TypeError if the
    expression is no text.
    """
    if not isinstance(expression, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f'cron={expression!r}: write a cron expression, such as "0 9 * * *"')
    # Imported here: only a bot with such reminders pays for it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    if len(expression.split()) != _FIELDS:
        raise ValueError(f"no cron expression {expression!r}: Wrong number of fields")
    try:
        times = CronSim(expression, datetime.fromtimestamp(after, ZoneInfo(zone)))
        # In an hour that comes twice, the first ones may be those of the hour before.
        return next(time for time in (each.timestamp() for each in times) if time > after)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: a folder of zones, or a name that is too long
        raise ValueError(f"no time zone {zone[:40]!r}; write one like Asia/Shanghai") from error
    except CronSimError as error:
        raise ValueError(f"no cron expression {expression!r}: {error}") from error
    except StopIteration:
        raise ValueError(f"the cron expression {expression!r} never comes true") from None
