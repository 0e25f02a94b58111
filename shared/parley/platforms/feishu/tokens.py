"""Tenant access tokens (Feishu docs: Get access tokens; Store apps: app_ticket)."""

from collections.abc import Mapping

from parley.adapter import IDEMPOTENT, Answer, App, Call, Token, TokenSteps, TokenUnavailableError
from parley.errors import RetryAfter
from parley.model import Outgoing
from parley.platforms.feishu import push
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.outcome import outcome
from parley.platforms.feishu.values import Object
from parley.untrusted import scalar

_INVALID_TICKET = 10012
_TICKET_DELAY = 10.0
"""Seconds after which a requested ticket has probably been pushed."""
_RETRY_DELAY = 5.0


def token_key(out: Outgoing, app: App) -> str | None:
    """See `parley.adapter.Outbound.token_key`.

    The key names the host and the app, and the tenant of a store app. A token of another app would be accepted and
    would act as that app.
    """
    config: Config = app.config
    if out.to.webhook and not push.uploads(out):
        return None
    return "|".join((config.api, config.app_id, out.to.tenant if config.app_type == "store" else ""))


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Fetch the tenant access token. Raises TokenUnavailableError."""
    config: Config = app.config
    credentials = {"app_id": config.app_id, "app_secret": config.app_secret}
    if config.app_type == "internal":
        answer = yield _call(config, "tenant_access_token/internal", credentials)
        return _read(answer, "tenant_access_token", now)
    if not out.to.tenant:
        raise TokenUnavailableError("a store app needs the tenant of the destination", None)
    ticket = pushed.get("app_ticket", "")
    answer = (yield _call(config, "app_access_token", {**credentials, "app_ticket": ticket})) if ticket else None
    if answer is None or answer.json().get("code") == _INVALID_TICKET:
        yield _call(config, "app_ticket/resend", credentials)
        raise TokenUnavailableError("no valid app_ticket; a new one was requested for the event URL", _TICKET_DELAY)
    app_token = _read(answer, "app_access_token", now).value
    answer = yield _call(config, "tenant_access_token", {"app_access_token": app_token, "tenant_key": out.to.tenant})
    return _read(answer, "tenant_access_token", now)


def _call(config: Config, endpoint: str, body: Object) -> Call:
    url = f"{config.api}/open-apis/auth/v3/{endpoint}"
    return Call(name="token", method="POST", url=url, json=body, idempotent_for=IDEMPOTENT)


def _read(answer: Answer, name: str, now: float) -> Token:
    """The token and its expiry. `expire` is in seconds from now and varies. Raises TokenUnavailableError."""
    body = answer.json()
    value, lifetime = scalar(body.get(name)), body.get("expire")
    if body.get("code") == 0 and value and isinstance(lifetime, int | float):
        return Token(value, now + lifetime)
    raise _unavailable(answer)


def _unavailable(answer: Answer) -> TokenUnavailableError:
    body = answer.json()
    code, reason = body.get("code"), f"token refused: HTTP {answer.status}, code {body.get('code')}"
    result = outcome(Call(name="token", method="POST", url=""), answer)
    if isinstance(result, RetryAfter):
        return TokenUnavailableError(reason, result.seconds)
    if answer.status >= 500 or not isinstance(code, int) or code == 0:
        return TokenUnavailableError(reason, _RETRY_DELAY)
    message = scalar(body.get("msg"))[:200]
    return TokenUnavailableError(f"{reason} {message}; see app_id, app_secret and app_type", None)
