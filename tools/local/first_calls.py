"""The first call of each function: shows that its code loads and its address is right. The next ones are quick then."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tools.local.aws import Aws
from tools.local.trouble import Trouble


def make(aws: Aws, api: str, platforms: Iterable[str], workers: Iterable[str]) -> None:
    """Call every callback with an app that is not there, and every worker with nothing to do. Raises Trouble."""
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(_callback, api, platform) for platform in platforms]
        calls += [pool.submit(_worker, aws, name) for name in workers]
    for call in calls:
        call.result()


def _callback(api: str, platform: str) -> None:
    url = f"{api}/callback/{platform}/nobody"
    request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    if status != 404:
        raise Trouble(
            f"The callback function of {platform} answered {status}, not 404, for an unknown app: {_text(body)}"
        )


def _worker(aws: Aws, name: str) -> None:
    answer = aws.client("lambda").invoke(FunctionName=name, Qualifier="live", Payload=json.dumps({"Records": []}))
    if answer.get("FunctionError"):
        raise Trouble(f"The function {name} fails: {_text(answer['Payload'].read())}")


def _text(body: bytes) -> str:
    return body[:500].decode(errors="replace")
