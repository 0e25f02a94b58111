"""Apps of service providers (WeCom docs: Third-party apps; Customised apps): their tokens, and calls about companies.

suite_id + suite_secret + suite_ticket give the suite_access_token. With it, the AuthCode of an installation gives the
permanent_code of a company, and that one the access_token, with which every other call is made as for an app of the
company's own. An app that is customised for one company (`suite_id` `dk...`) uses the permanent_code as its secret.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Auth,
    Authorisation,
    Call,
    Grant,
    Token,
    TokenSteps,
    TokenUnavailableError,
    UndeliverableError,
)
from parley.errors import RetryAfter
from parley.model import Outgoing
from parley.platforms.tencent import api
from parley.platforms.wecom.codes import CODES, SUITE_TOKEN_SETTINGS, TOKEN_SETTINGS
from parley.platforms.wecom.config import COMPANY, Config
from parley.untrusted import array, mapping, mappings, scalar, text

TOKEN = "suite_access_token"  # noqa: S105  # the name of the parameter
_AUTH = Auth("query", TOKEN)
PRE_AUTH = "pre_auth"
"""The name of the call behind the install page, which everybody can open."""
_LEFT = frozenset({40084, 48004})
"""The permanent code is not valid; the company has not installed the app (WeCom docs: Global error codes)."""
_CODE_OVER = frozenset({40058, 40077, 40078, 42007})
"""The code of an installation is wrong, used or expired. Any other refusal leaves it as it is."""
_REFUSED = 60.0
"""Seconds before another try: somebody has to change a setting."""
_BAD_TICKET = 40085
_NO_TICKET = 60.0
"""Seconds between two tries without a valid ticket. WeCom pushes one every ten minutes."""
_EXCHANGE = 25.0
"""Seconds for the exchange of an AuthCode. Its answer cannot be had again."""


def is_provider(config: Config) -> bool:
    """Whether `config` is that of a provider's app, and not of the app in one company."""
    return bool(config.suite_id) and not config.corp_id


def check_destination(out: Outgoing, app: App) -> None:
    """Raise UndeliverableError if `out` is for no company, or for another one than `app` is in."""
    config: Config = app.config
    if is_provider(config):
        raise UndeliverableError("the destination names no company: its app is `NAME@CORP_ID`")
    if config.suite_id and out.to.tenant not in {"", config.corp_id}:
        raise UndeliverableError("the tenant of the destination is another company than that of its app")


def token(config: Config, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Fetch the token of a provider's app. Raises TokenUnavailableError."""
    ticket = pushed.get("suite_ticket", "")
    if not ticket:
        raise TokenUnavailableError("no suite_ticket yet: WeCom pushes one every ten minutes", _NO_TICKET)
    credentials = {"suite_id": config.suite_id, "suite_secret": config.suite_secret, "suite_ticket": ticket}
    answer = yield Call(
        name="suite_token",
        method="POST",
        url=f"{config.host}/cgi-bin/service/get_suite_token",
        json=credentials,
        idempotent_for=IDEMPOTENT,
    )
    body = answer.json()
    if api.errcode(body) == _BAD_TICKET:
        raise TokenUnavailableError("the suite_ticket is not valid: WeCom pushes one every ten minutes", _NO_TICKET)
    renamed = Answer(answer.status, msgspec.json.encode({**body, "access_token": body.get(TOKEN)}))
    return api.read_token(renamed, CODES, SUITE_TOKEN_SETTINGS, now)


def exchange_call(code: str, app: App) -> Call:
    """See `parley.adapter.SupportsTenants`. WeCom docs: Get the permanent code of a company (v2)."""
    return _call("exchange", "v2/get_permanent_code", {"auth_code": code}, app, timeout=_EXCHANGE)


def read_grant(answer: Answer) -> Grant | None:
    """See `parley.adapter.SupportsTenants`. None without a company or a code."""
    body = answer.json()
    if api.errcode(body) and api.errcode(body) not in _CODE_OVER:
        raise RetryAfter(_REFUSED, api.reason(body, CODES))
    company, code = text(mapping(body.get("auth_corp_info")).get("corpid")), text(body.get("permanent_code"))
    if api.errcode(body) or not code or COMPANY.fullmatch(company) is None:
        return None
    return Grant(company, code)


def pre_auth_call(app: App) -> Call:
    """The call for a new pre_auth_code. WeCom docs: Get pre_auth_code."""
    url = f"{app.config.host}/cgi-bin/service/get_pre_auth_code"
    return Call(name=PRE_AUTH, method="GET", url=url, auth=_AUTH, idempotent_for=IDEMPOTENT)


def session_call(pre_auth_code: str, app: App) -> Call:
    """The call after which an installation with that code is a test. WeCom docs: Set the authorisation (auth_type)."""
    body: dict[str, Any] = {"pre_auth_code": pre_auth_code, "session_info": {"appid": [], "auth_type": 1}}
    return _call("session", "set_session_info", body, app, idempotent_for=IDEMPOTENT)


def authorisation_call(tenant: str, code: str, app: App) -> Call:
    """See `parley.adapter.SupportsTenants`. WeCom docs: Get the authorisation of a company (v2)."""
    body = {"auth_corpid": tenant, "permanent_code": code}
    return _call("authorisation", "v2/get_auth_info", body, app, idempotent_for=IDEMPOTENT)


def read_authorisation(answer: Answer) -> Authorisation | None:
    """See `parley.adapter.SupportsTenants`. The visible persons are counted, and not stored."""
    agents = mappings(mapping(answer.json().get("auth_info")).get("agent"))
    agent = scalar(agents[0].get("agentid")) if agents else ""
    if not agent.isdecimal():
        return None
    privilege = mapping(agents[0].get("privilege"))
    scope = {
        "mode": "member" if scalar(agents[0].get("auth_mode")) == "1" else "admin",
        "level": scalar(privilege.get("level")),
        "persons": len(array(privilege.get("allow_user"))),
        "departments": [scalar(one) for one in array(privilege.get("allow_party"))],
        "tags": [scalar(one) for one in array(privilege.get("allow_tag"))],
    }
    return Authorisation(agent, msgspec.json.encode(scope).decode())


def tenant_token_call(code: str, app: App) -> Call:
    """See `parley.adapter.SupportsTenants`. WeCom docs: Get the access_token of a company; of a customised app."""
    config: Config = app.config
    if config.suite_id.startswith("dk"):
        query = {"corpid": config.corp_id, "corpsecret": code}
        url = f"{config.host}/cgi-bin/gettoken"
        return Call(name="token", method="GET", url=url, query=query, idempotent_for=IDEMPOTENT)
    body = {"auth_corpid": config.corp_id, "permanent_code": code}
    return _call("corp_token", "get_corp_token", body, app, idempotent_for=IDEMPOTENT)


def read_tenant_token(answer: Answer, now: float) -> Token:
    """See `parley.adapter.SupportsTenants`."""
    return api.read_token(answer, CODES, TOKEN_SETTINGS, now)


def has_left(answer: Answer) -> bool:
    """See `parley.adapter.SupportsTenants`."""
    return api.errcode(answer.json()) in _LEFT


def _call(name: str, path: str, body: dict[str, Any], app: App, **more: float) -> Call:
    url = f"{app.config.host}/cgi-bin/service/{path}"
    return Call(name=name, method="POST", url=url, auth=_AUTH, json=body, **more)  # pyright: ignore[reportArgumentType]
