"""The local stack as the playground sees it: where callbacks go, what apps there are, what the journal says."""

import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from parley.journal.view import journal_of

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
_APPS_EVERY = 2.0
"""Seconds between two looks for new apps in SSM."""


class StackUnavailable(Exception):
    """The stack is not there, or does not answer. The text says what to do."""


@dataclass(slots=True)
class Stack:
    """Reads `.local/stack.json`, again whenever it changes."""

    path: Path
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stamp: int = 0
    _known: dict[str, Any] = field(default_factory=dict[str, Any])
    _clients: dict[str, Any] = field(default_factory=dict[str, Any])
    _found: dict[str, tuple[float, dict[str, Mapping[str, Any]]]] = field(default_factory=dict)
    _table: str = ""

    def describe(self) -> dict[str, Any]:
        """What `stack.json` says; empty while there is none."""
        with self._lock:
            try:
                stamp = self.path.stat().st_mtime_ns
                if stamp != self._stamp:
                    self._known = json.loads(self.path.read_text())
                    self._stamp, self._table = stamp, ""
                    self._clients.clear()
                    self._found.clear()
            except (OSError, ValueError):
                self._known, self._stamp = {}, 0
            return self._known

    def status(self) -> dict[str, Any]:
        """`{"state": "missing" | "starting" | "unreachable" | "ready"}`, for the page."""
        known = self.describe()
        if not known:
            return {"state": "missing"}
        if not known.get("ready"):
            return {"state": "starting"}
        return {"state": "ready" if _listens(str(known.get("aws_endpoint"))) else "unreachable"}

    def callback_url(self, platform: str, app: str) -> str:
        """Where the events of `app` go; of an app that `stack.json` does not list, beside those that it does. Raises
        StackUnavailable."""
        known = self.describe()
        listed: Mapping[str, str] = known.get("callbacks", {}).get(platform, {})
        if app in listed:
            return listed[app]
        if listed:
            return next(iter(listed.values())).rsplit("/", 1)[0] + f"/{app}"
        if known.get("api"):
            return f"{str(known['api']).rstrip('/')}/callback/{platform}/{app}"
        raise StackUnavailable("the local stack is not up: start it with `make run` or `make up`")

    def apps(self, platform: str, *, now: bool = False) -> dict[str, Mapping[str, Any]]:
        """The configurations of the apps of `platform`: those in `stack.json`, and those put into SSM since; looked up
        at most every two seconds unless `now`. With what the platform alone knows of them.
        """
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
            pages = self._client("ssm").get_paginator("get_parameters_by_path")
            stored = [p for page in pages.paginate(Path=path, WithDecryption=True) for p in page.get("Parameters", [])]
        except (StackUnavailable, BotoCoreError, ClientError):
            return {}
        apps: dict[str, Mapping[str, Any]] = {}
        for parameter in stored:
            try:
                apps[parameter["Name"].rsplit("/", 1)[-1]] = json.loads(parameter["Value"])
            except ValueError:
                continue
        return apps

    def journal(self, *, platform: str, app: str, tenant: str, message_id: str) -> dict[str, Any]:
        """What Parley's journal says of a message. Raises StackUnavailable."""
        try:
            client = self._client("dynamodb")
            return journal_of(
                client, self._table_name(), platform=platform, app=app, tenant=tenant, message_id=message_id
            )
        except (BotoCoreError, ClientError) as error:
            raise StackUnavailable(f"the journal cannot be read: {error}") from error

    def _table_name(self) -> str:
        with self._lock:
            if not self._table:
                self._table = str(self.describe().get("table") or self._find_table())
            return self._table

    def _find_table(self) -> str:
        names: list[str] = self._client("dynamodb").list_tables()["TableNames"]
        found = [name for name in names if "StateTable" in name] or names
        if not found:
            raise StackUnavailable("the stack has no table yet")
        return found[0]

    def _client(self, service: str) -> Any:
        with self._lock:
            known = self.describe()
            if not known.get("aws_endpoint"):
                raise StackUnavailable("the local stack is not up: start it with `make run` or `make up`")
            if service not in self._clients:
                self._clients[service] = _session(known).client(
                    service, endpoint_url=known["aws_endpoint"], config=_CONFIG
                )
            return self._clients[service]


def _session(known: Mapping[str, Any]) -> Any:
    """Credentials as the emulator expects them: any."""
    return boto3.Session("test", "test", region_name=known.get("region", "us-east-1"))


def _listens(url: str) -> bool:
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=0.5).close()
    except (OSError, ValueError):
        return False
    return True
