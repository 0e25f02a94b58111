"""Discord's rate limits: the buckets that a call counts against, and what its answer reports about them.

Discord docs: Rate Limits.
"""

from parley.adapter import Answer, App, BreakerFailure, Bucket, Call, Pause
from parley.model import Outgoing, digest
from parley.platforms.discord.config import Config

_DEFAULT_WAIT = 60.0
"""Seconds to wait if a refusal names no time. Such refusals come from Cloudflare, in front of Discord."""
_LONGEST_WAIT = 86_400
"""Seconds. A longer wait is taken for an error and ignored."""
_INVALID = 100
"""Invalid requests in a minute after which this app pauses. Discord bans an IP address at 10,000 in ten minutes. Other
apps may use the same address."""


def buckets(call: Call, app: App) -> tuple[Bucket, Bucket]:
    """The app's own bucket and the one of the route: 5 calls in 5 seconds until an answer reports the real limit."""
    return _app_bucket(call, app), Bucket(_key(app, _route(call, app.config)), 5, 5)


def limit_feedback(call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause | BreakerFailure, ...]:
    """See `parley.adapter.SupportsLimitFeedback.limit_feedback`."""
    app_bucket, route = buckets(call, app)
    feedback: list[Pause | BreakerFailure] = []
    scope = answer.headers.get("X-RateLimit-Scope", "")
    if answer.status == 429:
        is_global = scope == "global" or answer.json().get("global") is True
        feedback.append(Pause(app_bucket if is_global else route, retry_after(answer)))
    elif answer.headers.get("X-RateLimit-Remaining") == "0":
        reset = _seconds(answer.headers.get("X-RateLimit-Reset-After"))
        if reset:
            feedback.append(Pause(route, reset))
    if answer.status in (401, 403) or (answer.status == 429 and scope != "shared"):
        invalid = Bucket(_key(app, "invalid"), _INVALID, 60)
        feedback.append(BreakerFailure(invalid, (_bot_bucket(app), _interaction_bucket(app))))
    return tuple(feedback)


def retry_after(answer: Answer) -> float:
    """Seconds until the same call may be made again."""
    value = answer.json().get("retry_after")
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST_WAIT:
        return float(value)
    headers = answer.headers
    seconds = _seconds(headers.get("Retry-After")) or _seconds(headers.get("X-RateLimit-Reset-After"))
    return _DEFAULT_WAIT if seconds is None else seconds


def _seconds(header: str | None) -> float | None:
    """The number of seconds in a header; None if it is missing or unreadable."""
    try:
        value = float(header or "")
    except ValueError:
        return None
    return value if 0 <= value < _LONGEST_WAIT else None


def _app_bucket(call: Call, app: App) -> Bucket:
    return _interaction_bucket(app) if call.auth is None else _bot_bucket(app)


def _bot_bucket(app: App) -> Bucket:
    """50 calls a second for each bot."""
    return Bucket(_key(app, "bot"), 50, 1)


def _interaction_bucket(app: App) -> Bucket:
    """All calls with interaction tokens.

    They do not count against the bot's limit, and Discord has no limit for all of them together. This bucket exists so
    that they can be paused together. Its limit is more than an application needs.
    """
    return Bucket(_key(app, "interactions"), 500, 1)


def _route(call: Call, config: Config) -> str:
    """The method, and the path up to the resource that Discord counts by: a channel or an interaction token.

    An interaction token is a credential, so the key contains only its hash.
    """
    kind, _, rest = call.url.removeprefix(config.host).lstrip("/").partition("/")
    resource = rest.split("/")[1 if kind == "webhooks" and "/" in rest else 0]
    return f"{call.method} {kind} {digest(resource)[:16] if kind == 'webhooks' else resource}"


def _key(app: App, name: str) -> str:
    config: Config = app.config
    return f"{app.platform}#{config.application_id}#{name}"
