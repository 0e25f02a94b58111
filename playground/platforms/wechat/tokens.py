"""WeChat's access tokens. Facts: WeChat docs, Get stable access token; Get access token."""

from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError
from playground.platforms.tokens import AccessToken
from playground.platforms.wechat.messages import unescaped_body

if TYPE_CHECKING:
    from playground.platforms.wechat import Wechat

OVERLAP = 300.0
"""Seconds before the end of a token in which the API already returns the next one. A token that `GET /cgi-bin/token`
has replaced stays valid for as long."""
FORCED_PER_DAY, FORCED_INTERVAL = 20, 30.0


def stable_token(wechat: "Wechat", request: Request) -> Response:
    """`POST /cgi-bin/stable_token`: the same token, until its last five minutes or until a new one is forced."""
    body = unescaped_body(request)
    account = _account(wechat, body)
    now = wechat.clock()
    token = wechat.tokens.newest(account.name, "stable")
    if body.get("force_refresh") is True:
        _count_forced(wechat, account, now)
        wechat.tokens.expire_by(account.name, "stable", now)
        token = None
    if token is None or token.expires - now <= OVERLAP:
        token = wechat.tokens.issue(account.name, "stable", now)
    return _response(token, now)


def plain_token(wechat: "Wechat", request: Request) -> Response:
    """`GET /cgi-bin/token`: each call issues a token; the previous one expires five minutes later."""
    account = _account(wechat, dict(request.query))
    now = wechat.clock()
    wechat.tokens.expire_by(account.name, "plain", now + OVERLAP)
    return _response(wechat.tokens.issue(account.name, "plain", now), now)


def _account(wechat: "Wechat", fields: dict[str, Any]) -> Account:
    if fields.get("grant_type") != "client_credential":
        raise TencentError(40002, "invalid grant_type")
    accounts = wechat.accounts_by_id(fields.get("appid"))
    if not accounts:
        raise TencentError(40013, "invalid appid")
    if fields.get("secret") != accounts[0].secret:
        raise TencentError(40125, "invalid appsecret")
    wechat.note_call(app=accounts[0].name)
    wechat.count_call(accounts[0], "token")
    return accounts[0]


def _count_forced(wechat: "Wechat", account: Account, now: float) -> None:
    today = [at for at in wechat.forced_refreshes.get(account.name, []) if at > now - 86_400]
    if len(today) >= FORCED_PER_DAY or (today and now - today[-1] < FORCED_INTERVAL):
        raise TencentError(45009, "reach max api daily quota limit: force_refresh")
    wechat.forced_refreshes[account.name] = [*today, now]


def _response(token: AccessToken, now: float) -> Response:
    return Response.of({"access_token": token.value, "expires_in": int(token.expires - now)})
