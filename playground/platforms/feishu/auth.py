"""Feishu's token APIs. Facts: Feishu docs, Authentication management."""

from typing import TYPE_CHECKING, Any

from playground.platforms.feishu import events
from playground.platforms.feishu.accounts import Account
from playground.platforms.feishu.errors import Refused, too_often
from playground.platforms.http import Request, Response
from playground.platforms.limits import Rule

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
    """`POST /open-apis/auth/v3/app_access_token/internal`: both tokens at once."""
    account = _app(feishu, request, store=False)
    return _tokens(feishu, account, "app", "tenant")


def app_store(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/app_access_token`: needs the ticket that was pushed."""
    account = _app(feishu, request, store=True)
    if _field(request, "app_ticket") not in account.tickets[-2:]:
        raise Refused(_TICKET, "app_ticket invalid", 200, bare=True)
    return _tokens(feishu, account, "app")


def tenant_store(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/tenant_access_token`."""
    grant = feishu.tokens.check_app(_field(request, "app_access_token"), feishu.clock())
    account = next(account for account in feishu.accounts.values() if account.app_id == grant.app)
    feishu.note_call(app=account.name)
    if _field(request, "tenant_key") != events.TENANT:
        raise Refused(_INVALID, "invalid param: tenant_key", 200, bare=True)
    return _tokens(feishu, account, "tenant")


def resend_ticket(feishu: "Feishu", request: Request) -> Response:
    """`POST /open-apis/auth/v3/app_ticket/resend`: the new ticket comes as an event."""
    push_ticket(feishu, _app(feishu, request, store=True))
    return Response.of({"code": 0, "msg": "success"})


def push_ticket(feishu: "Feishu", account: Account) -> None:
    """Make a new ticket and push it."""
    account.tickets.append(f"tkt-{feishu.hex()}")
    feishu.send_event(events.app_ticket(feishu, account))


def _app(feishu: "Feishu", request: Request, *, store: bool) -> Account:
    account = feishu.account_of(_field(request, "app_id"))
    if account is None:
        raise Refused(_INVALID, "invalid param: app_id", 200, bare=True)
    feishu.note_call(app=account.name)
    if _field(request, "app_secret") != account.app_secret:
        raise Refused(_SECRET, "app secret invalid", 200, bare=True)
    if account.store != store:
        raise Refused(
            _INVALID, f"invalid param: this is a {'store' if account.store else 'custom'} app", 200, bare=True
        )
    rules = [Rule((account.app_id, request.path), 50, 1), Rule((account.app_id, request.path), 1000, 60)]
    if full := feishu.windows.take(rules, feishu.clock()):
        raise too_often(full[0].limit, full[1], 400)
    return account


def _field(request: Request, name: str) -> str:
    value: Any = request.json()
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, str) or not found:
        raise Refused(_INVALID, f"invalid param: {name}", 200, bare=True)
    return found


def _tokens(feishu: "Feishu", account: Account, *kinds: str) -> Response:
    answer: dict[str, Any] = {"code": 0, "msg": "ok"}
    for kind in kinds:
        tenant = events.TENANT if kind == "tenant" else ""
        token, seconds = feishu.tokens.issue(account.app_id, kind, tenant, feishu.clock())
        answer |= {f"{kind}_access_token": token, "expire": seconds}
    return Response.of(answer)
