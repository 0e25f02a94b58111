"""The install page of an app of a service provider (WeCom docs: Authorisation from the provider's own site).

The page gets a pre_auth_code and links to WeCom. WeCom sends the administrator back with an auth_code, and no
`create_auth` follows. So the message of `create_auth` is made from that code.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec.structs import replace

from parley.adapter import App
from parley.adapter.install_pages import InstallError, LinkSteps
from parley.model import Message
from parley.platforms.tencent.messages import Source
from parley.platforms.wecom import suites
from parley.platforms.wecom.config import Config
from parley.platforms.wecom.inbound import command
from parley.untrusted import text

_PRE_AUTH_CODE = re.compile(r"[\x21-\x7e]{1,512}")
_AUTH_CODE = re.compile(r"[\x21-\x7e]{64,512}")


def redirect_uri(app: App) -> str:
    """See `parley.adapter.install_pages.SupportsInstallPages`."""
    config: Config = app.config
    return config.install.redirect_uri if config.install is not None else ""


def link(app: App, state: str) -> LinkSteps:
    """See `SupportsInstallPages`. Each code is for one installation, and is good for 20 minutes."""
    config: Config = app.config
    if config.install is None:
        raise TypeError("the app has no install page")
    answer = yield suites.pre_auth_call(app)
    code = text(answer.json().get("pre_auth_code"))
    if not _PRE_AUTH_CODE.fullmatch(code):
        raise InstallError("the answer has no pre_auth_code")
    if config.install.test:
        yield suites.session_call(code, app)
    query = {
        "suite_id": config.suite_id,
        "pre_auth_code": code,
        "redirect_uri": config.install.redirect_uri,
        "state": state,
    }
    return f"{config.install.site}/3rdapp/install?{urlencode(query)}"


def claimed(app: App, query: Mapping[str, str], now: float) -> Message | None:
    """See `SupportsInstallPages`. An `auth_code` has 64 to 512 bytes (WeCom docs: Get the permanent code)."""
    config: Config = app.config
    code = query.get("auth_code", "")
    if not _AUTH_CODE.fullmatch(code):
        return None
    # The time is that of the return: a removal before it is older, also one after the page was opened.
    fields = {"SuiteId": config.suite_id, "InfoType": "create_auth", "AuthCode": code, "TimeStamp": str(int(now))}
    (message,) = command("create_auth", Source(app, fields, int(now)), config).messages
    return replace(message, context=replace(message.context, authorisation="claimed"))
