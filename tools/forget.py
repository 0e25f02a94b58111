"""Forgets a person: removes or masks all that the table holds of them, and prints what it did.

    python -m tools.forget --platform feishu --app helper --person ou_91c2
    python -m tools.forget ... --stack parley-prod      on AWS, with the credentials and the region of the environment

`--person` is the platform's id, as `message.sender.id` has it. A run that was stopped goes on when it is started again.
docs/privacy.md says what is forgotten, and what is not.
"""

import argparse
import sys
import time

from parley.journal.forget import Forget, Report
from parley.platforms import NAMES
from tools.dlq import NotFoundError, deployed, local


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


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 1 if rows are left, or there is no such stack."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployed(options.stack) if options.stack else local()
        forget = Forget(deployment.dynamodb, deployment.table, time.time, time.sleep, pause=1 / options.pages)
        report = forget(options.platform, options.app, options.person)
    except (NotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the next run goes on from here", file=sys.stderr)
        return 130
    print(shown(report, options.stack))
    return 1 if report.under_way or report.unreadable else 0


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
