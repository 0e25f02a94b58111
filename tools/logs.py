"""Shows the logs of all functions, in the order of time.

    python -m tools.logs                           the last quarter of an hour on the local stack
    python -m tools.logs --follow                  and what comes; Ctrl-C ends it
    python -m tools.logs --function processor      one function; what a bot prints or logs is in the processor's
    python -m tools.logs --find om_7f3a            the lines with this text
    python -m tools.logs --stage prod              a deployed stage, with the credentials and region of the environment

A message is found by its `message_id`, everything about it and its replies by `key`, a conversation by `conversation`.
The first characters of the last two are enough.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

from tools.local import running

_LOOK_EVERY = 0.5
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
    _seen: set[str] = field(default_factory=set[str])

    def new(self) -> list[Line]:
        """The lines that came since the last call, in the order of time."""
        lines = [line for function, group in self.groups.items() for line in self._lines(function, group)]
        self.since = max([self.since, *(line.at for line in lines)])
        return sorted(lines, key=lambda line: line.at)

    def _lines(self, function: str, group: str) -> Iterator[Line]:
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=max(0, int(self.since * 1000) - _OVERLAP)
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


def _short(name: str, value: Any) -> Any:
    """The beginning of a hash, which `--find` takes as well."""
    return str(value)[:12] if name in ("key", "conversation") else value


def local(facts: dict[str, Any], since: float) -> Reader:
    """A reader of the local stack that `facts` (the content of stack.json) describes."""
    session = boto3.Session("test", "test", region_name=facts["region"])
    return Reader(session.client("logs", endpoint_url=facts["aws_endpoint"]), facts["log_groups"], since)


def deployed(stage: str, since: float) -> Reader:
    """A reader of a deployed stage."""
    client = boto3.client("logs")
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/parley/{stage}/")
    names = [group.get("logGroupName", "") for page in pages for group in page["logGroups"]]
    return Reader(client, {name.rsplit("/", 1)[-1]: name for name in names}, since)


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status."""
    options = _parser().parse_args(arguments)
    since = time.time() - options.minutes * 60
    facts = None if options.stage else running()
    if not options.stage and facts is None:
        print("error: no local stack is running: start one with `make run`, or name a --stage", file=sys.stderr)
        return 1
    reader = deployed(options.stage, since) if facts is None else local(facts, since)
    wanted: Iterable[str] = options.function or reader.groups
    if unknown := set(wanted) - set(reader.groups):
        print(f"error: no function {', '.join(unknown)}; there are {', '.join(reader.groups)}", file=sys.stderr)
        return 1
    reader.groups = {name: reader.groups[name] for name in wanted}
    try:
        _print(reader, options.find, follow=options.follow)
    except KeyboardInterrupt:
        return 130
    return 0


def _print(reader: Reader, find: str, *, follow: bool) -> None:
    while True:
        for line in reader.new():
            if find in line.text:
                print(shown(line), flush=True)
        if not follow:
            return
        time.sleep(_LOOK_EVERY)  # between two looks at the logs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.logs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--follow", "-f", action="store_true", help="go on with new lines")
    parser.add_argument("--function", action="append", help="only this function; can be repeated")
    parser.add_argument("--find", default="", metavar="TEXT", help="only lines with this text")
    parser.add_argument("--minutes", type=float, default=15, help="how far back (15)")
    parser.add_argument("--stage", default="", help="a deployed stage; without it, the local stack")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
