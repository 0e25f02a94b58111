"""The first call of each function: shows that its code loads and its address is right. The next ones are quick then."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tools.local.aws import Aws
from tools.local.trouble import Trouble

_TRIES = 3


def make(aws: Aws, api: str, platforms: Iterable[str], workers: Iterable[str]) -> None:
    """Call every callback with an app that is not there, and every worker with nothing to do. Raises Trouble."""
    calls: list[Callable[[], str]] = [partial(_callback, api, platform) for platform in platforms]
    calls += [partial(_worker, aws, name) for name in workers]
    with ThreadPoolExecutor() as pool:
        wrong = [sentence for sentence in pool.map(_tried, calls) if sentence]
    if wrong:
        raise Trouble(" ".join(wrong))


def _tried(call: Callable[[], str]) -> str:
    """What was wrong at the last try; nothing if one went well. On a busy machine a first call may time out."""
    sentence = ""
    for _ in range(_TRIES):
        sentence = call()
        if not sentence:
            break
    return sentence


def _callback(api: str, platform: str) -> str:
    url = f"{api}/callback/{platform}/nobody"
    request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    if status == 404:
        return ""
    return f"The callback function of {platform} answered {status}, not 404, for an unknown app: {_text(body)}"


def _worker(aws: Aws, name: str) -> str:
    answer = aws.client("lambda").invoke(FunctionName=name, Qualifier="live", Payload=json.dumps({"Records": []}))
    return f"The function {name} fails: {_text(answer['Payload'].read())}" if answer.get("FunctionError") else ""


def _text(body: bytes) -> str:
    return body[:500].decode(errors="replace")
