"""The whole way of one message: its callback, the decision, its replies and their deliveries."""

import re
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from parley.adapter import split_name
from parley.journal.view import journal_of_key
from parley.model import digest
from parley_cli import logs, store
from parley_cli.command import Run, command
from parley_cli.names import app_name
from parley_cli.problems import Problem

_KEY = re.compile(r"[0-9a-f]{64}")


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "trace")(_trace)


def _trace(
    run: Run,
    message: Annotated[str, typer.Argument(help="The platform's id of the message, or its `key` in the logs.")],
    app: Annotated[str, typer.Option(metavar="PLATFORM/APP", help="The app, if it is known: that is faster.")] = "",
    tenant: Annotated[str, typer.Option(help="The organisation, if messages of the app have one.")] = "",
    hours: Annotated[float, typer.Option(help="How far back to read the logs.")] = 24.0,
    texts: Annotated[bool, typer.Option("--texts", help="Print what people and the bot have written, too.")] = False,
) -> None:
    """Show the whole way of one message: callback, decision, replies, deliveries.

    It reads the journal and the logs. Without --texts it prints no text of a person.
    """
    lines = _lines(run, message, hours)
    key = _key(run, message, app, tenant, lines)
    if key != message:
        lines = _merged(lines, _lines(run, key, hours))
    found = journal_of_key(run.place.client("dynamodb"), run.place.table, key)
    if not found["app"] and not lines:
        raise _unknown(message)
    if not texts:
        found = _without_texts(found)
    run.show({**found, "lines": [logs.value(line) for line in lines]}, [*_journal(found), "", *map(logs.shown, lines)])


def _lines(run: Run, text: str, hours: float) -> list[logs.Line]:
    """The lines with `text`. CloudWatch searches for it."""
    reader = logs.reader(run.place, time.time() - hours * 3600)
    reader.pattern = f'"{text}"'
    with run.progress.status("reading the logs"):
        return [line for line in reader.new() if text in line.text]


def _merged(some: list[logs.Line], others: list[logs.Line]) -> list[logs.Line]:
    texts = {line.text for line in some}
    return sorted([*some, *(line for line in others if line.text not in texts)], key=lambda line: line.at)


def _key(run: Run, message: str, app: str, tenant: str, lines: list[logs.Line]) -> str:
    """The journal's key of the message. Raises Problem if neither the journal nor the logs have it."""
    if not app and _KEY.fullmatch(message):
        return message
    for line in lines:
        if line.fields.get("message_id") == message and (key := line.fields.get("key")):
            return str(key)
    apps = [app_name(app)] if app else store.names(run.place)
    client, table = run.place.client("dynamodb"), run.place.table
    for platform, name in apps:
        key = digest(platform, name, tenant or split_name(name)[1], message)
        if journal_of_key(client, table, key)["app"]:
            return key
    raise _unknown(message)


def _unknown(message: str) -> Problem:
    return Problem(
        f"There is no message {message} in the journal, and none in the logs of that time.",
        "If it is older, use --hours and --app. If the platform never sent it, look for rejected callbacks: "
        "`parley tail rejected --minutes 60`.",
    )


def _without_texts(found: dict[str, Any]) -> dict[str, Any]:
    replies = [{name: value for name, value in reply.items() if name != "reply"} for reply in found["replies"]]
    return {name: value for name, value in found.items() if name != "message"} | {"replies": replies}


def _journal(found: dict[str, Any]) -> Iterator[str]:
    """The journal's side, for a terminal."""
    yield f"{found['app'] or '?'} {found['id']}  {found['state']}  key={found['key'][:12]}"
    if found["decided"]:
        yield f"  decided {_time(found['decided'])}, replies: {len(found['replies'])}"
    if found["reason"]:
        yield f"  attempt {found['attempts']:g} failed: {found['reason']}"
    if found.get("message"):
        yield f"  text: {found['message'].get('content', {})}"
    for reply in found["replies"]:
        receipts = f", platform's ids {' '.join(reply['receipts'])}" if reply["receipts"] else ""
        attempts = f"attempts: {reply['attempts']}{receipts}"
        yield f"  reply {reply['ordinal']}  {reply['state']}  {_time(reply['updated'])}, {attempts}"
        if reply["dropped"]:
            yield f"      without {', '.join(map(str, reply['dropped']))}"
        if reply["reason"]:
            yield f"      {reply['reason']}"
        if reply.get("reply"):
            yield f"      text: {reply['reply']}"


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
