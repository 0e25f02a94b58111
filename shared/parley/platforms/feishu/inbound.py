"""Callbacks of Feishu and Lark: events, card actions and the console's URL verification."""

import msgspec

from parley.adapter import Accepted, App, Rejected, Request, Response
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.events import event_type, message
from parley.platforms.feishu.values import Object, unix_seconds
from parley.platforms.feishu.verify import believed, is_url_verification
from parley.untrusted import decode_json, mapping, scalar

_SUCCESS = Response(body=b'{"msg":"success"}')
_NOTHING = Response(body=b"{}")
_MEANINGFUL = ("card.action.trigger", "card.action.trigger_v1", "url.preview.get")
"""Callbacks whose answer is read: an empty object changes nothing on the screen."""


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """One callback: verified, decrypted, normalised. Never raises."""
    config: Config = app.config
    try:
        body = decode_json(request.body)
    except ValueError:
        return Rejected(400, "malformed", "body is not JSON")
    if not isinstance(body, dict):
        return Rejected(400, "malformed", "body is not a JSON object")
    payload = believed(request, mapping(body), config, now)
    if isinstance(payload, Rejected):
        return payload
    if is_url_verification(payload):
        return _challenge(payload)
    kind = event_type(payload)
    if kind == "app_ticket":
        return _ticket(payload)
    return Accepted(_NOTHING if kind in _MEANINGFUL else _SUCCESS, (message(payload, app, now),))


def _challenge(payload: Object) -> Accepted | Rejected:
    challenge = payload.get("challenge")
    if not isinstance(challenge, str):
        return Rejected(400, "malformed", "a URL verification without a challenge")
    return Accepted(Response(body=msgspec.json.encode({"challenge": challenge})))


def _ticket(payload: Object) -> Accepted:
    """A store app's ticket is a credential: it is kept, and never becomes a message."""
    ticket = scalar(mapping(payload.get("event")).get("app_ticket"))
    stamp = unix_seconds(payload.get("ts")) or unix_seconds(mapping(payload.get("header")).get("create_time"))
    return Accepted(_SUCCESS, credentials={"app_ticket": ticket} if ticket else {}, credentials_issued_at=stamp)
