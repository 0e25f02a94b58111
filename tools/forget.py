"""Forgets a person: removes or masks all that the table holds of them, deletes their uploads, and prints what it did.

    python -m tools.forget --platform feishu --app helper --person ou_91c2
    python -m tools.forget ... --stack parley-prod      on AWS, with the credentials and the region of the environment

`--person` is the platform's id, as `message.sender.id` has it. A run that was stopped goes on when it is started again.
docs/privacy.md says what is forgotten, and what is not.
"""

import argparse
import sys
import time
from collections import Counter

from parley.adapter import SupportsUploads
from parley.journal.forget import Forget, Report
from parley.platforms import NAMES, inbound
from tools.dlq import Deployment, NotFoundError, deployed, local

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
        lines += [f'  make dlq ARGS="delete {id_}{where}"' for id_ in report.failed]
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


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 1 if rows or uploads are left, or there is no such stack."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployed(options.stack) if options.stack else local()
        forget = Forget(deployment.dynamodb, deployment.table, time.time, time.sleep, pause=1 / options.pages)
        report = forget(options.platform, options.app, options.person)
        # Last: until the table is done, a reply may still be on its way with them.
        uploads = delete_uploads(deployment, options.platform, options.app, options.person)
    except (NotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the next run goes on from here", file=sys.stderr)
        return 130
    print(shown(report._replace(counts=report.counts | uploads), options.stack))
    return 1 if report.under_way or report.unreadable or NOT_DELETED in uploads else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.forget", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--platform", required=True, choices=NAMES)
    parser.add_argument("--app", required=True, help="name of the app")
    parser.add_argument("--person", required=True, help="the platform's id of the person")
    parser.add_argument("--pages", type=_positive, default=5.0, help="pages of 100 rows to read per second (5)")
    parser.add_argument("--stack", default="", help="name of a CloudFormation stack; without it, the local stack")
    return parser


def _positive(value: str) -> float:
    number = float(value)
    if number <= 0:
        raise argparse.ArgumentTypeError("a number greater than 0")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
