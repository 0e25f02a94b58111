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

_CONFIG = Config(connect_timeout=1, read_timeout=4, retries={"total_max_attempts": 3, "mode": "standard"})
"""Twelve seconds at worst, for a service that answers in milliseconds."""
_PROMPT = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 3, "mode": "standard"})
"""Platforms wait three seconds for the answer of a callback: one answer of SQS may get lost, and the message be in the
queue in time all the same. All that is asked of SQS may be asked again.
"""
_QUICK = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
"""Five at worst: a callback that SSM keeps waiting has to live to use, or to keep, the configuration it has cached."""

AwsError = (BotoCoreError, ClientError)
"""What an AWS call can raise."""


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client of this process."""
    return _client("dynamodb")


@cache
def sqs() -> "SQSClient":
    """The SQS client of this process."""
    return _client("sqs", _PROMPT)


@cache
def ssm() -> "SSMClient":
    """The Systems Manager client of this process."""
    return _client("ssm", _QUICK)


def _client(service: Any, config: Config = _CONFIG) -> Any:
    return boto3.client(service, config=config)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def error_code(error: BaseException) -> str:
    """AWS's name of `error`: `ParameterNotFound`, `ConditionalCheckFailedException`; else the exception's own."""
    # Others, of botocore and of httpx, have a `response` too, which is something else.
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    return code or type(error).__name__


def surely_refused(error: BaseException) -> bool:
    """Whether `error` says that nothing was done: AWS has refused the one request that was made.

    Where several were made, which botocore does by itself, it says so of the last one alone: what an earlier one has
    done, whose answer got lost, it does not tell. Nor does a 5xx.
    """
    told = error.response.get("ResponseMetadata") if isinstance(error, ClientError) else None
    return told is not None and 400 <= told.get("HTTPStatusCode", 0) < 500 and told.get("RetryAttempts") == 0


def setting(name: str, default: str | None = None) -> str:
    """The environment variable `PARLEY_<name>`. Raises KeyError where it is missing and has no default."""
    value = os.environ.get(f"PARLEY_{name}", default)
    if value is None:
        raise KeyError(f"environment variable PARLEY_{name} is not set: the function was deployed without it")
    return value
