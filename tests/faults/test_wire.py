"""AWS in the faults suite: the quick way behaves as botocore does, and its DynamoDB as moto's."""

from collections.abc import Iterator
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from playground.platforms.base import NewMessage
from tests.faults.contract import CALLS, TABLE
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB, Refused
from tools.faults.subjects import APP, SUBJECTS
from tools.faults.trouble import Fault, Plan
from tools.faults.world import World

TOLD = ("Attributes", "Item", "Items", "Count", "Responses")


def calls(at: int, fault: Fault, *, direct: bool) -> tuple[list[str], list[str]]:
    """The calls that one message makes with `fault` at call `at`, and what is in the table then."""
    plan = Plan(at, fault, armed=True)
    world = World(SUBJECTS[:1], plan, make_bot(), Random(3), direct=direct)
    world.platforms["feishu"].send_message(APP, "team", "lin", NewMessage(text="/two m"))
    world.settle()
    return plan.calls, sorted(
        f"{key}: {item.get('state', {}).get('S', '')!s}" for key, item in world.aws.dynamodb.items.items()
    )


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.REFUSED, Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 8, 13])
def test_the_quick_way_makes_the_same_calls_as_botocore(at: int, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: object, context: Any) -> float:
        return 0.5 * 2 ** (context.attempt_number - 1)

    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", wait)
    assert calls(at, fault, direct=True) == calls(at, fault, direct=False)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t").client("dynamodb")
        client.create_table(**TABLE)
        yield client


def test_its_dynamodb_answers_as_motos(moto: Any) -> None:
    model = DynamoDB("parley")
    for operation, request in CALLS:
        method = getattr(moto, "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_"))
        try:
            theirs = {key: value for key, value in method(**request).items() if key in TOLD}
        except ClientError as error:
            answer: Any = error.response
            theirs = answer["Error"]["Code"], answer.get("Item"), answer.get("CancellationReasons")
        try:
            ours: Any = {key: value for key, value in model.call(operation, request).items() if key in TOLD}
        except Refused as refused:
            ours = refused.name, refused.members.get("Item"), refused.members.get("CancellationReasons")
        assert ours == theirs, (operation, request)
