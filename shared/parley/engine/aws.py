"""AWS clients, made once per process and only when first needed, each with deadlines."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

_COMMON = Config(parameter_validation=False, user_agent="Parley", retries={"total_max_attempts": 3, "mode": "standard"})
"""boto3 would check the arguments of each request before AWS does, and describe the machine in its user agent twice: a
millisecond of CPU time."""
_CONFIG = _COMMON.merge(Config(connect_timeout=1, read_timeout=4))
"""Twelve seconds at worst, for a service that answers in milliseconds."""
_PROMPT = _COMMON.merge(Config(connect_timeout=1, read_timeout=1))
"""Platforms wait three seconds for the response to a callback. One answer of SQS may be lost, and the message is still
in the queue in time. Every SQS request that Parley makes can be repeated.
"""
QUICK = _COMMON.merge(
    Config(
        connect_timeout=0.5,
        read_timeout=0.8,
        max_pool_connections=16,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
)
"""For requests that are repeated while there is time (`parley.engine.apps`, `parley.engine.notices`), or can fail."""

AwsError = (BotoCoreError, ClientError)
"""The exceptions of an AWS request."""


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client of this process."""
    return _client("dynamodb")


@cache
def sqs() -> "SQSClient":
    """The SQS client of this process."""
    return _client("sqs", _PROMPT)


@cache
def notice_queues() -> "SQSClient":
    """The SQS client for the queues of connectors: a notice may be lost, and may not keep a reply waiting."""
    return _client("sqs", QUICK)


@cache
def ssm() -> "SSMClient":
    """The Systems Manager client of this process."""
    return _client("ssm", QUICK)


@cache
def kms() -> Any:
    """The Key Management Service client of this process. Only apps that organisations install need it."""
    return _client("kms")


@cache
def pushes() -> Any:
    """The client that writes to the WebSockets of this deployment. Raises KeyError without `SOCKETS_URL`."""
    return _client("apigatewaymanagementapi", QUICK, setting("SOCKETS_URL"))


def _client(service: Any, config: Config = _CONFIG, endpoint: str | None = None) -> Any:
    return boto3.client(service, config=config, endpoint_url=endpoint)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def error_code(error: BaseException) -> str:
    """AWS's name of `error`: `ParameterNotFound`, `ConditionalCheckFailedException`; else the exception's own."""
    # Other exceptions of botocore and httpx have a `response` of another kind.
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    return code or type(error).__name__


def definitely_failed(error: BaseException) -> bool:
    """Whether the write definitely failed: AWS refused the only request that was made.

    If botocore has repeated the request, `error` is about the last one; an earlier one, whose answer was lost, may have
    succeeded. A 5xx says nothing either.
    """
    metadata = error.response.get("ResponseMetadata") if isinstance(error, ClientError) else None
    return (
        metadata is not None and 400 <= metadata.get("HTTPStatusCode", 0) < 500 and metadata.get("RetryAttempts") == 0
    )


def setting(name: str, default: str | None = None) -> str:
    """The environment variable `PARLEY_<name>`. Raises KeyError if it is missing and has no default."""
    value = os.environ.get(f"PARLEY_{name}", default)
    if value is None:
        raise KeyError(f"environment variable PARLEY_{name} is not set: the function was deployed without it")
    return value
