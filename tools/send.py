"""Sends a text to a conversation, or an AWS event to the bot.

    python -m tools.send feishu/demo "Build 7 is deployed" --room oc_7f3a --key build-7
    python -m tools.send --event examples/operations/events/alarm.json

The commands work on the local stack. With `--stack NAME` they work on that CloudFormation stack, with the credentials
and the region of the environment. A text with the same key is delivered once; without `--key` each call is a new one.

An event gets a new id and the current time, and goes to the function `incoming` as EventBridge sends it. So events
whose source begins with `aws.` work too: EventBridge takes them from AWS only.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from parley import send
from parley.errors import ResultError
from parley.model import Destination
from tools.local import StackError, running
from tools.stage import use_stage


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a sender needs: the URL of the inbound queue, and the name of the function `incoming`."""

    queue: str
    function: str


def local() -> Deployment:
    """The local stack, whose AWS this process uses from here on. Raises StackError if none is running."""
    use_stage("")
    facts = running() or {}
    return Deployment(facts["queues"]["inbound"], facts["functions"]["incoming"])


def deployed(stack: str) -> Deployment:
    """The CloudFormation stack `stack`."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output.get("OutputKey", ""): output.get("OutputValue", "") for output in found.get("Outputs", [])}
    return Deployment(outputs["InboundQueueUrl"], outputs["IncomingFunction"])


def current(event: Mapping[str, Any]) -> dict[str, Any]:
    """`event` as one that happens now."""
    return {**event, "id": str(uuid4()), "time": datetime.now(UTC).isoformat(timespec="seconds")}


def send_event(deployment: Deployment, event: Mapping[str, Any]) -> str:
    """Send an AWS event to the bot. Returns its id."""
    now = current(event)
    boto3.client("lambda").invoke(
        FunctionName=deployment.function, Qualifier="live", InvocationType="Event", Payload=json.dumps(now)
    )
    return now["id"]


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 1 if nothing was sent."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployed(options.stack) if options.stack else local()
        if options.event is not None:
            id_ = send_event(deployment, json.loads(options.event.read_text()))
        else:
            id_ = send(_destination(options), options.text, key=options.key or str(uuid4()), queue=deployment.queue)
    except (StackError, ResultError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"sent: {id_}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.send", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("app", nargs="?", default="", help="PLATFORM/APP, such as feishu/demo")
    parser.add_argument("text", nargs="?", default="")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--room", default="", help="the platform's id of a room")
    place.add_argument("--person", default="", help="the platform's id of a person")
    place.add_argument("--webhook", default="", help="the name of a webhook in the configuration of the app")
    parser.add_argument(
        "--tenant", default="", help="the organisation at the platform, if messages of the room have one"
    )
    parser.add_argument("--key", default="", help="a text with the same key is delivered once")
    parser.add_argument("--event", type=Path, help="a file with an event in EventBridge's form")
    parser.add_argument("--stack", default="", help="name of a CloudFormation stack; without it, the local stack")
    return parser


def _destination(options: argparse.Namespace) -> Destination:
    platform, _, app = options.app.partition("/")
    place = {"room_id": options.room, "user_id": options.person, "webhook": options.webhook}
    return Destination(platform=platform, app=app, tenant=options.tenant, **place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
