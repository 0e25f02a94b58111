"""In-process AWS for the unit tests: one table and two queues, as the template makes them."""

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "unit",
    "POWERTOOLS_METRICS_NAMESPACE": "Parley",
    "PARLEY_STAGE": "unit",
    "PARLEY_TABLE": "parley",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that reach nothing, and the settings that a function has."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PARLEY_"))]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in this process, with the table and the queues of the template."""
    from moto import mock_aws

    from parley.engine import aws as clients

    caches: list[Any] = [clients.dynamodb, clients.sqs, clients.ssm]
    # Clients are new for each test, the session is not: it would read botocore's description of each service again.
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        for cache in caches:
            cache.cache_clear()
        make_table(boto3.client("dynamodb"))
        sqs = boto3.client("sqs")
        for name in ("inbound", "outbound", "inbound_dead"):
            url = sqs.create_queue(
                QueueName=f"{name}.fifo",
                Attributes={"FifoQueue": "true", "DeduplicationScope": "messageGroup", "VisibilityTimeout": "30"},
            )["QueueUrl"]
            monkeypatch.setenv(f"PARLEY_{name.upper()}_URL", url)
        yield
        for cache in caches:
            cache.cache_clear()


def make_table(client: Any) -> None:
    """The state table of the template."""
    client.create_table(
        TableName="parley",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "due_shard", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


class Clock:
    """A clock that tests turn by hand; `sleep` turns it too."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is turned."""
    return Clock()
