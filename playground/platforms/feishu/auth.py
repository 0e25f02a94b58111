"""Feishu's token APIs. Facts: Feishu docs, Authentication management."""

from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.feishu import events
from playground.platforms.feishu.accounts import Account, app_token, issue_token
from playground.platforms.feishu.errors import FeishuError, rate_limited
from playground.platforms.limits import RateLimit

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

_INVALID = 10003
_SECRET = 10014
_TICKET = 10012


def tenant_internal(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/tenant_access_token/internal`."""
    account = _app(feishu, request, store=False)
    return _tokens(feishu, account, "tenant")


def app_internal(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/app_access_token/internal`: returns both tokens."""
    account = _app(feishu, request, store=False)
    return _tokens(feishu, account, "app", "tenant")


def app_store(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/app_access_token`: needs a pushed app ticket."""
    account = _app(feishu, request, store=True)
    if _field(request, "app_ticket") not in account.tickets[-2:]:
        raise FeishuError(_TICKET, "app_ticket invalid", 200, bare=True)
    return _tokens(feishu, account, "app")


def tenant_store(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/tenant_access_token`."""
    token = app_token(feishu.tokens, _field(request, "app_access_token"), feishu.clock())
    account = feishu.account_by_app_id(token.app)
    feishu.note_call(app=account.name)
    if _field(request, "tenant_key") != events.TENANT:
        raise FeishuError(_INVALID, "invalid param: tenant_key", 200, bare=True)
    return _tokens(feishu, account, "tenant")


def resend_ticket(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/app_ticket/resend`: the new ticket is pushed as an event."""
    push_ticket(feishu, _app(feishu, request, store=True))
    return Response.of({"code": 0, "msg": "success"})


def push_ticket(feishu: "Feishu", account: Account) -> None:
    """Issue a new app ticket and push it."""
    account.tickets.append(f"tkt-{feishu.hex()}")
    feishu.enqueue(events.app_ticket(feishu, account))


def _app(feishu: "Feishu", request: Request, *, store: bool) -> Account:
    account = feishu.find_account(_field(request, "app_id"))
    if account is None:
        raise FeishuError(_INVALID, "invalid param: app_id", 200, bare=True)
    feishu.note_call(app=account.name)
    if _field(request, "app_secret") != account.app_secret:
        raise FeishuError(_SECRET, "app secret invalid", 200, bare=True)
    if account.store != store:
        kind = "store" if account.store else "custom"
        raise FeishuError(_INVALID, f"invalid param: this is a {kind} app", 200, bare=True)
    key = (account.app_id, request.path)
    if full := feishu.windows.acquire([RateLimit(key, 50, 1), RateLimit(key, 1000, 60)], feishu.clock()):
        raise rate_limited(full[0].limit, full[1], 400)
    return account


def _field(request: Request, name: str) -> str:
    value: Any = request.json()
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, str) or not found:
        raise FeishuError(_INVALID, f"invalid param: {name}", 200, bare=True)
    return found


def _tokens(feishu: "Feishu", account: Account, *kinds: str) -> Response:
    body: dict[str, Any] = {"code": 0, "msg": "ok"}
    for kind in kinds:
        tenant = events.TENANT if kind == "tenant" else ""
        token, seconds = issue_token(feishu.tokens, account.app_id, kind, tenant, feishu.clock())
        body |= {f"{kind}_access_token": token, "expire": seconds}
    return Response.of(body)
