"""Feature flags: which messages get a feature. Their rules are those of Powertools for AWS Lambda.

They come from AWS AppConfig if PARLEY_FLAGS names a configuration there, as APPLICATION/ENVIRONMENT/PROFILE. Otherwise
they come from the file `flags.json` beside the bot. Flags that cannot be read are those that were read last; without
any, every flag has the value that the bot gives as its default.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
from aws_lambda_powertools.utilities.feature_flags import AppConfigStore, FeatureFlags
from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider
from aws_lambda_powertools.utilities.feature_flags.exceptions import (
    ConfigurationStoreError,
    SchemaValidationError,
    StoreClientError,
)
from aws_lambda_powertools.utilities.feature_flags.schema import SchemaValidator

from parley.engine import telemetry
from parley.engine.aws import QUICK, AwsError, setting
from parley.engine.batch import describe
from parley.engine.telemetry import log
from parley.model import Conversation, Message, digest

FILE = "flags.json"
"""The flags beside the module `bot`, without AppConfig."""
MAX_AGE = 60.0
"""Seconds for which flags that were read are used, or before another try."""
_ERRORS = (ConfigurationStoreError, StoreClientError, SchemaValidationError, OSError, ValueError, *AwsError)
Read = Callable[[], dict[str, Any]]


class LastKnown(StoreProvider):
    """The flags that `read` returns, or those that it returned last."""

    def __init__(self, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._known: dict[str, Any] | None = None
        self._tried_at = float("-inf")

    def get_configuration(self) -> dict[str, Any]:
        """The flags. Raises ConfigurationStoreError if none are known."""
        if self._clock() - self._tried_at >= MAX_AGE:
            self._tried_at = self._clock()
            try:
                found = self._read()
                if found:
                    SchemaValidator(found).validate()
                self._known = found
            except _ERRORS as error:
                telemetry.count("FlagsUnreadable")
                log.warning("flags not readable", extra={"error": describe(error), "known": self._known is not None})
        if not self._known:
            raise ConfigurationStoreError("no flags are known")
        return self._known

    @property
    def get_raw_configuration(self) -> dict[str, Any]:
        """See `StoreProvider`."""
        return self.get_configuration()


def is_on(flags: FeatureFlags, name: str, message: Message, *, default: bool) -> bool:
    """Whether the feature is on for `message`. A feature that the flags do not name has the default."""
    return bool(flags.evaluate(name=name, context=context(name, message), default=default))


def context(name: str, message: Message) -> dict[str, Any]:
    """What the rules of the feature `name` can ask for. `percent`: from 0 to 99, always the same for a feature and a
    conversation, so that `percent` below 10 is one conversation in ten.
    """
    conversation = Conversation.of(message).key
    return {
        "platform": message.platform,
        "app": message.app,
        "tenant": message.context.tenant,
        "room": message.context.room_id,
        "person": message.sender.id,
        "percent": int(digest(name, conversation)[:8], 16) % 100,
    }


def flag(name: str, message: Message, default: bool) -> bool:
    """Whether the feature is on for `message`, by the flags of this process."""
    return is_on(_flags(), name, message, default=default)


@cache
def _flags() -> FeatureFlags:
    return FeatureFlags(store=LastKnown(reader()))


def reader() -> Read:
    """How this process reads its flags."""
    named = setting("FLAGS", "")
    if not named:
        return _from_file
    application, environment, profile = named.split("/")
    client = cast("Any", boto3).client("appconfigdata", config=QUICK)
    # Its own cache would keep an answer that is not valid.
    store = AppConfigStore(environment, application, profile, max_age=0, boto3_client=client)
    return store.get_configuration


def _from_file() -> dict[str, Any]:
    path = getattr(sys.modules.get("bot"), "__file__", None)
    file = Path(path).with_name(FILE) if path else None
    if file is None or not file.is_file():
        return {}
    found: Any = json.loads(file.read_text())
    return found
