"""The first call of each function. It checks that the code loads and the URL is right, and it warms the function up."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from parley.platforms import callback_path
from tools.local.aws import Aws
from tools.local.errors import StackError

_ATTEMPTS = 3
_UNKNOWN_APP = {"httpMethod": "POST", "headers": {}, "pathParameters": {"app": "nobody"}, "body": "{}"}


def make(aws: Aws, api: str, platforms: Iterable[str], workers: Iterable[str]) -> None:
    """Call every callback with an unknown app, and every worker without a record. Raises StackError."""
    calls: list[Callable[[], str]] = [partial(_callback, api, platform) for platform in platforms]
    calls += [partial(_worker, aws, name) for name in workers]
    with ThreadPoolExecutor() as pool:
        failures = [failure for failure in pool.map(_retried, calls) if failure]
    if failures:
        raise StackError(" ".join(failures))


def _retried(call: Callable[[], str]) -> str:
    """The failure of the last attempt; empty if one succeeds. On a busy machine a first call can time out."""
    failure = ""
    for _ in range(_ATTEMPTS):
        failure = call()
        if not failure:
            break
    return failure


def _callback(api: str, platform: str) -> str:
    url = f"{api}{callback_path(platform, 'nobody')}"
    request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    if status == 404:
        return ""
    return f"The callback function of {platform} answers {status} instead of 404 for an unknown app: {_text(body)}"


def check(aws: Aws, function: str, name: str, version: str) -> None:
    """Call one version of a function that loads the bot: it has started then before it is live. Raises StackError."""
    event = {"Records": []} if function == "processor" else _UNKNOWN_APP
    if failure := _invoked(aws, name, version, event):
        raise StackError(failure)


def _worker(aws: Aws, name: str) -> str:
    return _invoked(aws, name, "live", {"Records": []})


def _invoked(aws: Aws, name: str, version: str, event: dict[str, Any]) -> str:
    answer = aws.client("lambda").invoke(FunctionName=name, Qualifier=version, Payload=json.dumps(event))
    return f"The function {name} fails: {_text(answer['Payload'].read())}" if answer.get("FunctionError") else ""


def _text(body: bytes) -> str:
    return body[:500].decode(errors="replace")
