"""Requests of a browser in which a person logs in."""

from collections.abc import Mapping
from typing import Any

from tools.samples import gateway

_STATE, _COOKIE = "5a" * 32, "s" * 43
_PLACE = "d1" * 16 + ".0"


def events(now: int) -> dict[str, Any]:
    """One event per case. No login waits for them, so all get the page for a link that is no longer valid."""
    return {
        "start": _event("start", {"t": _PLACE}, now),
        "callback": _event("callback", {"code": "2Wd5g337vo5BZXUz-3W5KECsWUmIzJ", "state": _STATE}, now),
        "refused": _event("callback", {"error": "access_denied", "state": _STATE}, now),
    }


def _event(page: str, query: Mapping[str, str], now: int) -> dict[str, Any]:
    headers = {"User-Agent": "Mozilla/5.0", "Accept-Language": "zh-CN,zh;q=0.9"}
    if page == "callback":
        headers["Cookie"] = f"__Host-parley-login={_COOKIE}"
    event = gateway.callback("feishu", headers, b"", now, query=query)
    resource, path = f"/oauth/{{platform}}/{{app}}/{page}", f"/oauth/feishu/sample/{page}"
    context = event["requestContext"] | {"path": f"/local{path}", "resourcePath": resource}
    request = {"resource": resource, "path": path, "pathParameters": {"platform": "feishu", "app": "sample"}}
    return event | request | {"requestContext": context}
