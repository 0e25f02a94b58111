"""An access token for an app, fetched without a deployment."""

from collections.abc import Mapping

from parley.adapter import App, Outbound, Token
from parley.engine.http import Http
from parley.model import Destination, Outgoing, Reply


def fetch(platform: Outbound, app: App, http: Http, now: float, pushed: Mapping[str, str] | None = None) -> Token:
    """A new access token. WeCom and WeChat return the current one again, so that the functions keep theirs.

    `pushed`: the credentials that the platform has pushed. Raises TokenUnavailableError, CallError.
    """
    nowhere = Destination(platform=app.platform, app=app.name)
    placeholder = Outgoing(id="", message_key="", ordinal=0, to=nowhere, reply=Reply(), created=now)
    steps = platform.token(placeholder, app, pushed or {}, now)
    try:
        call = next(steps)
        while True:
            call = steps.send(http.perform(call))
    except StopIteration as end:
        token: Token = end.value
        return token
