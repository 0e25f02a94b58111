"""Tenant access tokens (Feishu docs: Get access tokens; Store apps: app_ticket)."""

from collections.abc import Mapping

from parley.adapter import IDEMPOTENT, Answer, App, Call, Token, TokenSteps, TokenUnavailableError
from parley.errors import RetryAfter
from parley.model import Outgoing
from parley.platforms.feishu import push
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.errors import outcome
from parley.platforms.feishu.values import Object
from parley.untrusted import scalar

_BAD_TICKET = 10012
_PUSHED_SOON = 10.0
"""Seconds until a ticket that was asked for is likely to have come."""
_AGAIN = 5.0


def token_key(out: Outgoing, app: App) -> str | None:
    """One token per app (and tenant, for store apps) and host: another app's token would be valid, and wrong."""
    config: Config = app.config
    if out.to.webhook and not push.uploads(out):
        return None
    return "|".join((config.api, config.app_id, out.to.tenant if config.app_type == "store" else ""))


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Get the tenant access token. Raises TokenUnavailableError."""
    config: Config = app.config
    credentials = {"app_id": config.app_id, "app_secret": config.app_secret}
    if config.app_type == "internal":
        answer = yield _call(config, "tenant_access_token/internal", credentials)
        return _read(answer, "tenant_access_token", now)
    if not out.to.tenant:
        raise TokenUnavailableError("a store app needs the tenant of the destination", None)
    ticket = pushed.get("app_ticket", "")
    answer = (yield _call(config, "app_access_token", {**credentials, "app_ticket": ticket})) if ticket else None
    if answer is None or answer.json().get("code") == _BAD_TICKET:
        yield _call(config, "app_ticket/resend", credentials)
        raise TokenUnavailableError("no valid app_ticket; Feishu was asked to push one to the event URL", _PUSHED_SOON)
    app_token = _read(answer, "app_access_token", now).value
    answer = yield _call(config, "tenant_access_token", {"app_access_token": app_token, "tenant_key": out.to.tenant})
    return _read(answer, "tenant_access_token", now)


def _call(config: Config, what: str, body: Object) -> Call:
    url = f"{config.api}/open-apis/auth/v3/{what}"
    return Call(name="token", method="POST", url=url, json=body, idempotent_for=IDEMPOTENT)


def _read(answer: Answer, name: str, now: float) -> Token:
    """The token and its end. Feishu says `expire`, the seconds that are left, which vary."""
    body = answer.json()
    value, left = scalar(body.get(name)), body.get("expire")
    if body.get("code") == 0 and value and isinstance(left, int | float):
        return Token(value, now + left)
    raise _unavailable(answer)


def _unavailable(answer: Answer) -> TokenUnavailableError:
    body = answer.json()
    code, reason = body.get("code"), f"token refused: HTTP {answer.status}, code {body.get('code')}"
    meant = outcome(Call(name="token", method="POST", url=""), answer)
    if isinstance(meant, RetryAfter):
        return TokenUnavailableError(reason, meant.seconds)
    if answer.status >= 500 or not isinstance(code, int) or code == 0:
        return TokenUnavailableError(reason, _AGAIN)
    return TokenUnavailableError(f"{reason} {scalar(body.get('msg'))[:200]}; see app_id, app_secret and app_type", None)
