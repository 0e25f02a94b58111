"""Forgets a person: removes or masks all that the table holds of them, deletes their uploads, and prints what it did.

docs/privacy.md says what is forgotten, and what is not.
"""

import time
from collections import Counter
from typing import Annotated

import typer

from parley.adapter import SupportsUploads
from parley.journal.forget import Forget, Report
from parley.platforms import inbound
from parley_cli import deployment
from parley_cli.command import Run, command
from parley_cli.deployment import Deployment
from parley_cli.names import App, app_name
from parley_cli.problems import Problem

DELETED, NOT_DELETED = "upload deleted", "upload not deleted, run this again"
"""What was done with the objects in the bucket."""


def shown(report: Report, stack: str = "") -> str:
    """`report` for a terminal: a line for each kind of row, and what is left, in the CloudFormation stack `stack`."""
    lines = [f"{what}: {count}" for what, count in sorted(report.counts.items())]
    if report.under_way:
        lines += ["under way, run this again later:", *(f"  {pk}" for pk in report.under_way)]
    if report.failed:
        where = f" --stack {stack}" if stack else ""
        lines += ["the bot has failed on messages; delete those that are dead letters:"]
        lines += [f"  parley dlq delete {id_}{where}" for id_ in report.failed]
    if report.unreadable:
        lines += ["not readable, use the version that is deployed:", *(f"  {pk}" for pk in report.unreadable)]
    if report.named:
        lines += ["states in which the bot names the person, left as they are:", *(f"  {pk}" for pk in report.named)]
    return "\n".join(lines) or "nothing found: is this the id in `message.sender.id`?"


def delete_uploads(deployment: Deployment, platform: str, app: str, person: str) -> dict[str, int]:
    """Delete what the person has uploaded. Returns the number of objects, and of those that S3 did not delete.

    A run that is repeated goes on. It does not list objects of other persons.
    """
    adapter = inbound(platform)
    if not deployment.bucket or not isinstance(adapter, SupportsUploads):
        return {}
    found = Counter[str]()
    pages = deployment.s3.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=deployment.bucket, Prefix=adapter.uploads_of(person, app)):
        objects = [{"Key": each["Key"]} for each in page.get("Contents", [])]
        if objects:
            request = {"Objects": objects, "Quiet": True}
            failed = deployment.s3.delete_objects(Bucket=deployment.bucket, Delete=request).get("Errors", [])
            found += Counter({DELETED: len(objects) - len(failed), NOT_DELETED: len(failed)})
    return dict(found)


def _forget(
    run: Run,
    app: App,
    person: Annotated[str, typer.Argument(help="The platform's id of the person: `message.sender.id`.")],
    pages: Annotated[float, typer.Option(help="Pages of 100 rows to read per second.", min=0.001)] = 5.0,
) -> int:
    """Remove what is stored on a person.

    A run that was stopped goes on when it is started again. The exit status is 1 if rows or uploads are left.
    """
    platform, name = app_name(app)
    found = deployment.of(run.place)
    forget = Forget(found.dynamodb, found.table, time.time, time.sleep, pause=1 / pages)
    try:
        with run.progress.status("reading the table"):
            report = forget(platform, name, person)
            # Last: until the table is done, a reply may still be on its way with them.
            uploads = delete_uploads(found, platform, name, person)
    except KeyboardInterrupt:
        run.note("stopped; the next run goes on from here")
        raise
    except ValueError as error:
        raise Problem(str(error)) from error
    report = report._replace(counts=report.counts | uploads)
    run.show(report._asdict(), [shown(report, run.place.stack)])
    return 1 if report.under_way or report.unreadable or NOT_DELETED in uploads else 0


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "forget")(_forget)
