"""The logs of the stack's functions, one line each, as the page shows them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground.stack import Stack, reading

MAX_LINES = 500
"""The newest lines of one response."""
_MAX_SECONDS = 300
"""How long after a message its lines are searched."""
_LAMBDA = re.compile(r"(INIT_START|START RequestId|END RequestId|REPORT RequestId|RESTORE_)")
_STANDARD = re.compile(r"\[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\]\t\S+Z?\t\S*\t(.*)", re.DOTALL)
"""A line of Python's `logging` in a function."""
_HASH = re.compile(r"[0-9a-f]{64}")
_NOT_SHOWN = frozenset(
    {"level", "location", "message", "timestamp", "service", "xray_trace_id", "traceback", "exception"}
)


def lines(stack: Stack, since: float, functions: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The lines since a time in unix seconds, oldest first: `{"at", "function", "level", "text", "detail"}`.

    `functions`: only these; by default all. Lines of Lambda itself and metrics are left out. Raises
    StackUnavailableError.
    """
    groups: Mapping[str, str] = stack.describe().get("log_groups", {})
    wanted = frozenset(functions) or groups.keys()
    found = [
        {"at": event["timestamp"] / 1000, "function": name} | line
        for name, group in groups.items()
        if name in wanted
        for event in events_of(stack, group, since)
        if (line := parsed(event["message"]))
    ]
    return sorted(found, key=lambda line: line["at"])[-MAX_LINES:]


def events_of(stack: Stack, group: str, since: float, until: float = 0) -> list[dict[str, Any]]:
    """The lines of a log group as CloudWatch Logs gives them; empty for a group that does not exist yet.

    Raises StackUnavailableError.
    """
    logs = stack.client("logs")
    period = {"startTime": int(since * 1000)} | ({"endTime": int(until * 1000)} if until else {})
    with reading("the logs"):
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **period)
            return [event for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []  # the function has not run yet


def parsed(message: str) -> dict[str, str] | None:
    """One line as `{"level", "text", "detail"}`; None for a line of Lambda itself and for a metric.

    `level` is empty for a line that was printed. `detail` is a traceback.
    """
    text = message.rstrip("\n")
    if not text or _LAMBDA.match(text):
        return None
    fields = _json(text)
    if "_aws" in fields:
        return None
    if "level" in fields and "message" in fields:
        return _structured(fields)
    if standard := _STANDARD.fullmatch(text):
        first, _, rest = standard[2].partition("\n")
        return {"level": standard[1], "text": first, "detail": rest}
    return {"level": "", "text": text, "detail": ""}


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text.startswith("{") else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _structured(fields: Mapping[str, Any]) -> dict[str, str]:
    more = [f"{name}={_short(value)}" for name, value in fields.items() if name not in _NOT_SHOWN and value != ""]
    detail = fields.get("traceback") or fields.get("exception") or ""
    return {
        "level": str(fields["level"]),
        "text": "  ".join([_short(fields["message"]), *more]),
        "detail": str(detail).rstrip("\n"),
    }


def _short(value: Any) -> str:
    """`value` as text; of a hash the beginning."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:12]}…" if _HASH.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class MessageLogs:
    """The lines that the processor wrote while it handled one message."""

    lines: list[dict[str, Any]]
    failure: dict[str, Any] | None
    """The last failure of the handler: `{"at", "error", "traceback"}`; None if there is none."""


def of_message(stack: Stack, message_id: str, since: float) -> MessageLogs:
    """The logs of a message that was sent at `since`. Raises StackUnavailableError."""
    group = stack.describe().get("log_groups", {}).get("processor")
    events = events_of(stack, group, since, since + _MAX_SECONDS) if group else []
    mine = [event for invocation in _invocations(events) if _concerns(invocation, message_id) for event in invocation]
    found = [
        {"at": event["timestamp"] / 1000, "function": "processor"} | line
        for event in mine
        if (line := parsed(event["message"]))
    ]
    failures = [failed for event in mine if (failed := _failure(event, message_id))]
    return MessageLogs(found, failures[-1] if failures else None)


def _invocations(events: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """`events` by invocation. One stream holds one invocation after the other."""
    current: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        stream = event["logStreamName"]
        if event["message"].startswith("START RequestId"):
            yield current.pop(stream, [])
        current.setdefault(stream, []).append(event)
    yield from current.values()


def _concerns(invocation: Iterable[Mapping[str, Any]], message_id: str) -> bool:
    return any(_json(event["message"]).get("message_id") == message_id for event in invocation)


def _failure(event: Mapping[str, Any], message_id: str) -> dict[str, Any] | None:
    fields = _json(event["message"])
    if fields.get("message") != "handler failed" or fields.get("message_id") != message_id:
        return None
    error, traceback = str(fields.get("error") or ""), str(fields.get("traceback") or "").rstrip("\n")
    return {"at": event["timestamp"] / 1000, "error": error, "traceback": traceback}
