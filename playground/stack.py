"""The local stack: callback URLs, configured apps, and the journal."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from parley.journal.view import journal_of
from parley.platforms import callback_path

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
_APPS_EVERY = 2.0
"""Seconds between two searches for new apps in SSM."""


class StackUnavailableError(Exception):
    """The stack is not running, or does not respond. The text says what to do."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn errors of AWS into StackUnavailableError."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StackUnavailableError(f"{what} cannot be read: {error}") from error


@dataclass(slots=True)
class Stack:
    """Reads `.local/stack.json`, and again whenever it changes."""

    path: Path
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _mtime: int = 0
    _facts: dict[str, Any] = field(default_factory=dict[str, Any])
    _clients: dict[str, Any] = field(default_factory=dict[str, Any])
    _found: dict[str, tuple[float, dict[str, Mapping[str, Any]]]] = field(default_factory=dict)
    _table: str = ""

    def describe(self) -> dict[str, Any]:
        """The content of `stack.json`; empty if the file does not exist."""
        with self._lock:
            try:
                mtime = self.path.stat().st_mtime_ns
                if mtime != self._mtime:
                    self._facts = json.loads(self.path.read_text())
                    self._mtime, self._table = mtime, ""
                    self._clients.clear()
                    self._found.clear()
            except (OSError, ValueError):
                self._facts, self._mtime = {}, 0
            return self._facts

    def status(self) -> dict[str, Any]:
        """`{"state": "missing" | "starting" | "unreachable" | "ready", "bot": {...}, "commands": 1}`, for the page.

        `bot` is the result of the last saved change of the bot (`tools/local/watch.py`), empty before the first one.
        `commands` changes with the commands of the bot.
        """
        facts = self.describe()
        if not facts:
            return {"state": "missing"}
        if not facts.get("ready"):
            return {"state": "starting"}
        state = "ready" if _is_listening(str(facts.get("aws_endpoint"))) else "unreachable"
        return {"state": state, "bot": self._beside("bot.json") or {}, "commands": self._changed("commands.json")}

    def commands(self) -> list[dict[str, Any]]:
        """The commands of the bot (`CommandSpec` as JSON), from `commands.json`; empty without the file."""
        return self._beside("commands.json") or []

    def _beside(self, name: str) -> Any:
        """The JSON in the file `name` beside `stack.json`; None if there is none."""
        try:
            return json.loads(self.path.with_name(name).read_text())
        except (OSError, ValueError):
            return None

    def _changed(self, name: str) -> int:
        try:
            return self.path.with_name(name).stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def callback_url(self, platform: str, app: str) -> str:
        """The callback URL of `app`. For an app that `stack.json` does not list, it is derived from the URL of a listed
        one. Raises StackUnavailableError."""
        facts = self.describe()
        listed: Mapping[str, str] = facts.get("callbacks", {}).get(platform, {})
        if app in listed:
            return listed[app]
        for other, url in listed.items():
            return url.removesuffix(callback_path(platform, other)) + callback_path(platform, app)
        if facts.get("api"):
            return str(facts["api"]).rstrip("/") + callback_path(platform, app)
        raise StackUnavailableError("the local stack is not up: start it with `make run` or `make up`")

    def apps(self, platform: str, *, now: bool = False) -> dict[str, Mapping[str, Any]]:
        """The configurations of the apps of `platform`, by name, from `stack.json` and SSM, with the fields that only
        the platform knows. SSM is read at most every two seconds, or `now`."""
        listed = dict(self.describe().get("apps", {}).get(platform, {}))
        with self._lock:
            at, found = self._found.get(platform, (0.0, {}))
            if now or time.monotonic() - at > _APPS_EVERY:
                found = self._apps_in_ssm(platform)
                self._found[platform] = (time.monotonic(), found)
        private = self.describe().get("private", {}).get(platform, {})
        return {name: {**config, **private.get(name, {})} for name, config in {**listed, **found}.items()}

    def _apps_in_ssm(self, platform: str) -> dict[str, Mapping[str, Any]]:
        path = f"/parley/{self.describe().get('stage', 'local')}/{platform}"
        try:
            pages = self.client("ssm").get_paginator("get_parameters_by_path")
            stored = [p for page in pages.paginate(Path=path, WithDecryption=True) for p in page.get("Parameters", [])]
        except (StackUnavailableError, BotoCoreError, ClientError):
            return {}
        apps: dict[str, Mapping[str, Any]] = {}
        for parameter in stored:
            try:
                apps[parameter["Name"].rsplit("/", 1)[-1]] = json.loads(parameter["Value"])
            except ValueError:
                continue
        return apps

    def journal(self, *, platform: str, app: str, tenant: str, message_id: str) -> dict[str, Any]:
        """The journal's view of a message. Raises StackUnavailableError."""
        with reading("the journal"):
            return journal_of(
                self.client("dynamodb"), self.table(), platform=platform, app=app, tenant=tenant, message_id=message_id
            )

    def table(self) -> str:
        """The name of the state table. Raises StackUnavailableError."""
        with self._lock:
            if not self._table:
                self._table = str(self.describe().get("table") or self._find_table())
            return self._table

    def _find_table(self) -> str:
        names: list[str] = self.client("dynamodb").list_tables()["TableNames"]
        found = [name for name in names if "StateTable" in name] or names
        if not found:
            raise StackUnavailableError("the stack has no table yet")
        return found[0]

    def client(self, service: str) -> Any:
        """A boto3 client of the stack's AWS. Raises StackUnavailableError."""
        with self._lock:
            facts = self.describe()
            if not facts.get("aws_endpoint"):
                raise StackUnavailableError("the local stack is not up: start it with `make run` or `make up`")
            if service not in self._clients:
                self._clients[service] = _session(facts).client(
                    service, endpoint_url=facts["aws_endpoint"], config=_CONFIG
                )
            return self._clients[service]


def _session(facts: Mapping[str, Any]) -> Any:
    """A session for the emulator, which accepts any credentials."""
    return boto3.Session("test", "test", region_name=facts.get("region", "us-east-1"))


def _is_listening(url: str) -> bool:
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=0.5).close()
    except (OSError, ValueError):
        return False
    return True
