"""In-process AWS for the unit tests: the table and the queues of the template."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings

# The machine may be busy. A failure prints the example and how to repeat it.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.load_profile("unit")

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
    """Set invalid AWS credentials and the environment variables of a function."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PARLEY_"))]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@cache
def _make_session() -> None:
    """Make boto3's default session, once, after moto is imported: moto does not see the requests of an earlier one.

    All tests share it, because a new session reads botocore's service descriptions again.
    """
    import moto  # noqa: F401

    boto3.setup_default_session()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS mocked in this process, with the table and the queues of the template."""
    from moto import mock_aws

    from parley.engine import aws as clients

    _make_session()
    caches: list[Any] = [clients.dynamodb, clients.sqs, clients.ssm, clients.kms]
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
    """A clock that tests advance by hand. `sleep` advances it too."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the clock by `seconds`."""
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test advances it."""
    return Clock()
