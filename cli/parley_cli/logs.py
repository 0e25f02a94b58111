"""The lines that the functions write: reading them in the order of time, and showing them.

A message is found by its `message_id`, everything about it and its replies by `key`, a conversation by `conversation`.
The first characters of the last two are enough.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from parley_cli.place import Place

_OVERLAP = 5_000
"""Milliseconds that are read again: CloudWatch shows some lines late."""
_ORDINARY = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START", "XRAY TraceId")
"""The beginnings of Lambda's own lines."""
_SHOWN = frozenset(
    {"level", "location", "message", "timestamp", "service", "traceback", "xray_trace_id", "sampling_rate"}
)
"""Fields that are not repeated at the end of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a log. `at`: unix seconds. `fields`: those of a line that is JSON; empty for any other `text`."""

    at: float
    function: str
    text: str
    fields: dict[str, Any]

    @property
    def is_problem(self) -> bool:
        """Whether it is an error, or a line that Parley has not written: a `print` of the bot."""
        return not self.fields or self.fields.get("level") in ("ERROR", "CRITICAL")


@dataclass(slots=True)
class Reader:
    """Reads the new lines of `groups` (log groups by function), from the unix second `since` on."""

    client: Any
    groups: dict[str, str]
    since: float
    pattern: str = ""
    """CloudWatch's filter pattern, for a long time in which few lines are wanted."""
    _seen: set[str] = field(default_factory=set[str])

    def new(self) -> list[Line]:
        """The lines that came since the last call, in the order of time."""
        lines = [line for function, group in self.groups.items() for line in self._lines(function, group)]
        self.since = max([self.since, *(line.at for line in lines)])
        return sorted(lines, key=lambda line: line.at)

    def _lines(self, function: str, group: str) -> Iterator[Line]:
        wanted = {"filterPattern": self.pattern} if self.pattern else {}
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=max(0, int(self.since * 1000) - _OVERLAP), **wanted
        )
        for event in (event for page in pages for event in page["events"]):
            # The emulator gives events no ids.
            id_ = event.get("eventId") or f"{event['timestamp']} {event.get('logStreamName')} {event['message']}"
            if id_ not in self._seen:
                self._seen.add(id_)
                text = event["message"].rstrip("\n")
                if text and not text.startswith(_ORDINARY) and "_aws" not in (fields := _fields(text)):
                    yield Line(event["timestamp"] / 1000, function, text, fields)


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def shown(line: Line) -> str:
    """`line` for a terminal: time, function, level, text, fields, and the traceback below."""
    head = f"{time.strftime('%H:%M:%S', time.localtime(line.at))} {line.function:<10}"
    if not line.fields:
        return f"{head} {line.text}"
    rest = "".join(f"  {name}={_short(name, value)}" for name, value in line.fields.items() if name not in _SHOWN)
    trace = "".join(f"\n    {each}" for each in str(line.fields.get("traceback", "")).splitlines())
    return f"{head} {line.fields.get('level', ''):<7} {line.fields.get('message', '')}{rest}{trace}"


def value(line: Line) -> dict[str, Any]:
    """`line` for programs."""
    return {"at": line.at, "function": line.function, **(line.fields or {"message": line.text})}


def _short(name: str, value: Any) -> Any:
    """The beginning of a hash, which `parley tail` takes as well."""
    return str(value)[:12] if name in ("key", "conversation") else value


def reader(place: Place, since: float) -> Reader:
    """A reader of the logs of all functions of `place`, from the unix second `since` on."""
    client = place.client("logs")
    if place.is_local:
        return Reader(client, dict(place.facts["log_groups"]), since)
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/parley/{place.stage}/")
    names = [group.get("logGroupName", "") for page in pages for group in page["logGroups"]]
    return Reader(client, {name.rsplit("/", 1)[-1]: name for name in names}, since)
