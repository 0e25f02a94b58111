"""The fake AWS: direct calls behave as calls through botocore, and the fake DynamoDB behaves as moto."""

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from parley.engine import aws, telemetry
from playground.platforms.base import NewMessage
from tests.faults.contract import CALLS, TABLE, client_method
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB, ServiceError
from tools.faults.policies import Fault, FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, titled

FEISHU = titled("feishu")

COMPARED = ("Attributes", "Item", "Items", "Count", "Responses")


def calls(at: int, fault: Fault, *, direct: bool) -> tuple[list[str], list[str]]:
    """The calls that one message makes with `fault` at call `at`, and the rows in the table afterwards."""
    plan = FaultPlan({at: fault}, armed=True)
    sim = Simulation((FEISHU,), plan, make_bot(), Random(3), direct=direct)
    sim.platforms["feishu"].send_message(APP, "team", "lin", NewMessage(text="/two m"))
    sim.settle()
    return plan.calls, sorted(
        f"{key}: {item.get('state', {}).get('S', '')!s}" for key, item in sim.aws.dynamodb.items.items()
    )


@pytest.mark.parametrize("fault", [Fault.RESPONSE_LOST, Fault.ERROR, Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 8, 13])
def test_direct_calls_are_the_same_as_through_botocore(at: int, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: object, context: Any) -> float:
        return 0.5 * 2 ** (context.attempt_number - 1)

    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", wait)
    assert calls(at, fault, direct=True) == calls(at, fault, direct=False)


def test_a_fake_aws_takes_the_requests_of_no_other_client_and_is_undone() -> None:
    boto3.setup_default_session(region_name="eu-west-2", aws_access_key_id="t", aws_secret_access_key="t")
    session, before = boto3.DEFAULT_SESSION, (aws.dynamodb(), dict(os.environ), telemetry._emit)
    with isolated():
        Simulation((FEISHU,), FaultPlan(), make_bot(), Random(3))
        outer = aws.dynamodb()
        assert outer is not before[0]
        with isolated():
            Simulation((FEISHU,), FaultPlan(), make_bot(), Random(4))
        assert aws.dynamodb() is outer
        assert boto3.DEFAULT_SESSION is session
        with mock_aws():
            assert boto3.client("sqs", region_name="eu-west-2").list_queues().get("QueueUrls") is None
    assert (aws.dynamodb(), dict(os.environ), telemetry._emit) == before
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t").client("dynamodb")
        client.create_table(**TABLE)
        yield client


def test_a_transaction_with_one_item_that_is_too_large_stores_nothing() -> None:
    items = [{"pk": {"S": key}, "body": {"S": "x" * size}} for key, size in (("small", 1), ("large", 500_000))]
    fake = DynamoDB()
    with pytest.raises(ServiceError, match="maximum allowed size"):
        fake.call("TransactWriteItems", {"TransactItems": [{"Put": {"Item": item}} for item in items]})
    assert fake.items == {}


def test_the_fake_dynamodb_behaves_as_moto(moto: Any) -> None:
    model = DynamoDB("parley")
    for operation, request in CALLS:
        try:
            response: Any = client_method(moto, operation)(**request)
            theirs = {key: value for key, value in response.items() if key in COMPARED}
        except ClientError as error:
            response = error.response
            theirs = response["Error"]["Code"], response.get("Item"), response.get("CancellationReasons")
        try:
            ours: Any = {key: value for key, value in model.call(operation, request).items() if key in COMPARED}
        except ServiceError as error:
            ours = error.code, error.members.get("Item"), error.members.get("CancellationReasons")
        assert ours == theirs, (operation, request)
