"""WeCom's install page, to which the site of a provider links, and the API before it.

Shares no code with Parley. Facts: WeCom docs: Get pre_auth_code; Set the authorisation; Authorisation from the
provider's own site. No `create_auth` follows.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from playground.platforms.exchange import Request, Response
from playground.platforms.tencent.errors import TencentError
from playground.platforms.tencent.requests import json_body
from playground.platforms.wecom import provider

if TYPE_CHECKING:
    from playground.platforms.wecom import Wecom

SECONDS = 1200
MOST_TESTS = 10
CODE_INVALID, CODE_EXPIRED = (40077, "invalid pre auth code"), (42007, "pre_auth_code expired")
_STATE = re.compile(r"[A-Za-z0-9]{0,128}")


@dataclass(slots=True)
class PreAuthCode:
    """A code. `is_test`: an installation with it is a test."""

    expires: float
    is_test: bool = False


def get_pre_auth_code(wecom: "Wecom", request: Request) -> Response:
    """`GET /cgi-bin/service/get_pre_auth_code`."""
    suite = provider.authenticated(wecom, request)
    code = wecom.hex(128)
    suite.pre_auth_codes[code] = PreAuthCode(wecom.clock() + SECONDS)
    return Response.of({"errcode": 0, "errmsg": "ok", "pre_auth_code": code, "expires_in": SECONDS})


def set_session_info(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/service/set_session_info`."""
    suite, body = provider.authenticated(wecom, request), json_body(request)
    info: Any = body.get("session_info")
    info = info if isinstance(info, dict) else {}
    code = _code(wecom, suite, str(body.get("pre_auth_code") or ""))
    if info.get("auth_type", 0) not in (0, 1):
        raise TencentError(40058, "invalid Request Parameter: auth_type")
    code.is_test = info.get("auth_type") == 1
    return Response.of({"errcode": 0, "errmsg": "ok"})


def page(wecom: "Wecom", request: Request) -> Response:
    """`GET /3rdapp/install`: the page on which the administrator of a company installs the app."""
    query = request.query
    suite = next((one for one in wecom.suites.values() if one.account.id == query.get("suite_id")), None)
    if suite is None:
        return _page("40083", "There is no such app.")
    try:
        code = _code(wecom, suite, query.get("pre_auth_code", ""))
    except TencentError as error:
        return _page(str(error.code), "The code is not valid or has expired.")
    if _site(query.get("redirect_uri", "")) != suite.site or not suite.site:
        return _page("redirect_uri", "The address is not on the domain of the app.")
    if _site(request.headers.get("referer", "")) != suite.site:
        return _page("Referer", "The page with the link is not on the domain of the app.")
    if not _STATE.fullmatch(query.get("state", "")):
        return _page("state", "Only letters and digits, at most 128.")
    company = query.get("company", "")
    if not company:
        link = html.escape(urlencode({**query, "company": f"wp{wecom.hex(32)}"}))
        return _page(f"Install {suite.account.name}", f"<a id='install' href='?{link}'>Install</a>")
    return _installed(wecom, suite, company, code, query)


def _installed(
    wecom: "Wecom", suite: provider.Suite, company: str, code: PreAuthCode, query: Mapping[str, str]
) -> Response:
    if not code.is_test and not suite.is_released:
        return _page("60246", "The app is not released.")
    if not code.is_test and company in suite.tests:
        return _page("test", "A company that has tested the app cannot install it.")
    if code.is_test and company not in suite.tests and len(suite.tests) >= MOST_TESTS:
        return _page("test", "There are ten companies that test the app.")
    del suite.pre_auth_codes[query["pre_auth_code"]]
    if code.is_test:
        suite.tests.add(company)
    provider.add_company(wecom, suite, company)
    answer = {"auth_code": provider.new_code(wecom, suite, company), "expires_in": str(provider.CODE_SECONDS)}
    if "state" in query:
        answer["state"] = query["state"]
    address = urlsplit(query["redirect_uri"])
    together = urlencode([*parse_qsl(address.query), *answer.items()])
    return Response(302, b"", {"location": address._replace(query=together).geturl()})


def _code(wecom: "Wecom", suite: provider.Suite, value: str) -> PreAuthCode:
    """The code of the app. Raises TencentError."""
    code = suite.pre_auth_codes.get(value)
    if code is None:
        raise TencentError(*CODE_INVALID)
    if code.expires <= wecom.clock():
        raise TencentError(*CODE_EXPIRED)
    return code


def _site(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _page(title: str, body: str) -> Response:
    text = (
        f"<!doctype html><meta charset='utf-8'><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{body}"
    )
    return Response(200, text.encode(), {"content-type": "text/html; charset=utf-8"})
