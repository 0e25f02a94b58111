"""Callbacks of Feishu and Lark: events, card actions and the console's URL verification."""

import msgspec

from parley.adapter import Accepted, App, Rejected, Request, Response
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.events import event_type, message
from parley.platforms.feishu.values import Object
from parley.platforms.feishu.verify import authenticated, created, is_url_verification
from parley.untrusted import decode_json, mapping, scalar

_SUCCESS = Response(body=b'{"msg":"success"}')
_UNCHANGED = Response(body=b"{}")
_INTERACTIVE = ("card.action.trigger", "card.action.trigger_v1", "url.preview.get")
"""Callbacks whose response Feishu shows. An empty object changes nothing on the screen."""


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """See `parley.adapter.Inbound.receive`."""
    config: Config = app.config
    try:
        body = decode_json(request.body)
    except ValueError:
        return Rejected(400, "malformed", "body is not JSON")
    if not isinstance(body, dict):
        return Rejected(400, "malformed", "body is not a JSON object")
    payload = authenticated(request, mapping(body), config, now)
    if isinstance(payload, Rejected):
        return payload
    if is_url_verification(payload):
        return _challenge(payload)
    kind = event_type(payload)
    if kind == "app_ticket":
        return _ticket(payload)
    return Accepted(_UNCHANGED if kind in _INTERACTIVE else _SUCCESS, (message(payload, app, now),))


def is_unsigned(request: Request, app: App) -> bool:
    """See `parley.adapter.AcceptsUnsigned.is_unsigned`. With an encrypt key, only URL verifications are unsigned."""
    config: Config = app.config
    return bool(config.encrypt_key) and "X-Lark-Signature" not in request.headers


def _challenge(payload: Object) -> Accepted | Rejected:
    challenge = payload.get("challenge")
    if not isinstance(challenge, str):
        return Rejected(400, "malformed", "a URL verification without a challenge")
    return Accepted(Response(body=msgspec.json.encode({"challenge": challenge})))


def _ticket(payload: Object) -> Accepted:
    """A store app's ticket. It is a credential: it is stored, and no message carries it."""
    ticket = scalar(mapping(payload.get("event")).get("app_ticket"))
    credentials = {"app_ticket": ticket} if ticket else {}
    return Accepted(_SUCCESS, credentials=credentials, credentials_issued_at=created(payload))
