"""Discord's limits: which buckets a call draws from, and what the answers tell of them. Discord docs: Rate Limits."""

from parley.adapter import Answer, App, BreakerFailure, Bucket, Call, Pause
from parley.model import Outgoing, digest
from parley.platforms.discord.config import Config

_FALLBACK = 60.0
"""Seconds to wait where a refusal does not say: Cloudflare answers so, in Discord's place."""
_INVALID = 1_000
"""Refusals in ten minutes at which this app falls silent. Discord bans an address at 10,000; addresses are shared."""


def buckets(call: Call, app: App) -> tuple[Bucket, Bucket]:
    """The app's own bucket and the one of the route; until an answer tells the real one, 5 calls in 5 seconds."""
    return _app_bucket(call, app), Bucket(_key(app, _route(call, app.config)), 5, 5)


def limit_feedback(call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause | BreakerFailure, ...]:
    """See `parley.adapter.SupportsLimitFeedback.limit_feedback`."""
    everything, route = buckets(call, app)
    lessons: list[Pause | BreakerFailure] = []
    scope = answer.headers.get("X-RateLimit-Scope", "")
    if answer.status == 429:
        globally = scope == "global" or answer.json().get("global") is True
        lessons.append(Pause(everything if globally else route, retry_after(answer)))
    elif answer.headers.get("X-RateLimit-Remaining") == "0":
        reset = seconds(answer.headers.get("X-RateLimit-Reset-After"))
        if reset:
            lessons.append(Pause(route, reset))
    if answer.status in (401, 403) or (answer.status == 429 and scope != "shared"):
        invalid = Bucket(_key(app, "invalid"), _INVALID, 600)
        lessons.append(BreakerFailure(invalid, (_authorised(app), _granted(app))))
    return tuple(lessons)


def retry_after(answer: Answer) -> float:
    """Seconds until the same call may be made again."""
    said = answer.json().get("retry_after")
    if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said < 86_400:
        return float(said)
    headers = answer.headers
    found = seconds(headers.get("Retry-After")) or seconds(headers.get("X-RateLimit-Reset-After"))
    return _FALLBACK if found is None else found


def seconds(written: str | None) -> float | None:
    """A number of seconds in a header; None where there is none."""
    try:
        value = float(written or "")
    except ValueError:
        return None
    return value if 0 <= value < 86_400 else None


def _app_bucket(call: Call, app: App) -> Bucket:
    return _granted(app) if call.auth is None else _authorised(app)


def _authorised(app: App) -> Bucket:
    """50 calls a second for each bot."""
    return Bucket(_key(app, "bot"), 50, 1)


def _granted(app: App) -> Bucket:
    """Answers to interactions do not count against the bot's calls. Discord has no limit for them together; this one is
    there so that they can be paused together, and more than an application needs."""
    return Bucket(_key(app, "interactions"), 500, 1)


def _route(call: Call, config: Config) -> str:
    """The method and the path up to the resource that Discord counts by: a channel, or an interaction's token.

    An interaction's token is a credential, so that only its hash is used.
    """
    kind, _, rest = call.url.removeprefix(config.host).lstrip("/").partition("/")
    resource = rest.split("/")[1 if kind == "webhooks" and "/" in rest else 0]
    return f"{call.method} {kind} {digest(resource)[:16] if kind == 'webhooks' else resource}"


def _key(app: App, name: str) -> str:
    config: Config = app.config
    return f"{app.platform}#{config.application_id}#{name}"
