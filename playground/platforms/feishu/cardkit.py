"""Feishu's card entities: created, sent once, and changed by numbered operations. Facts: Feishu docs, CardKit v1."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.feishu import cards
from playground.platforms.feishu.accounts import Account
from playground.platforms.feishu.errors import FeishuError, card_error
from playground.platforms.limits import RateLimit
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

PER_SECOND = 10
"""Changes of one card."""
DAYS = 14
STREAMING_SECONDS = 600
MAX_CONTENT = 100_000
_MAX_NUMBER = 2**31 - 1
_TEXTS = ("markdown", "plain_text")


@dataclass(slots=True)
class Entity:
    """A card entity. `number`: of the last change. `streaming_since` is None unless its text is streamed."""

    id: str
    app: str
    card: cards.Card
    created: float
    streaming_since: float | None
    number: int = 0
    message_id: str = ""
    changes: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The request of each change, by its `uuid`."""

    def is_streaming(self, now: float) -> bool:
        """Whether the text can be streamed. That ends by itself."""
        return self.streaming_since is not None and now - self.streaming_since < STREAMING_SECONDS


def create(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/cardkit/v1/cards`."""
    card, now = _card(_object(request)), feishu.clock()
    id_ = str(7_355_372_766_134_157_000 + len(feishu.entities))
    feishu.entities[id_] = Entity(id_, account.name, card, now, now if _streams(card) else None)
    return Response.of({"code": 0, "msg": "success", "data": {"card_id": id_}})


def update(feishu: "Feishu", account: Account, request: Request, card_id: str) -> Response:
    """`PUT /open-apis/cardkit/v1/cards/:card_id`."""
    entity, body = _entity(feishu, account, card_id), _object(request)
    card = _card(body.get("card"))
    if _change(feishu, entity, body, request):
        entity.card, entity.streaming_since = card, feishu.clock() if _streams(card) else None
        _show(feishu, entity)
    return _done()


def content(feishu: "Feishu", account: Account, request: Request, card_id: str, element_id: str) -> Response:
    """`PUT /open-apis/cardkit/v1/cards/:card_id/elements/:element_id/content`."""
    entity, body = _entity(feishu, account, card_id), _object(request)
    text = body.get("content")
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_CONTENT:
        raise FeishuError(10002, "content must have 1 to 100000 characters")
    if entity.streaming_since is None:
        raise FeishuError(300309, "streaming mode is closed")
    if not entity.is_streaming(feishu.clock()):
        raise FeishuError(200850, "card streaming timeout")
    element = next((each for each in cards.walk(entity.card) if each.get("element_id") == element_id), None)
    if element is None:
        raise FeishuError(300313, "element not found")
    if element.get("tag") not in _TEXTS:
        raise FeishuError(300310, "the element is not a text")
    if _change(feishu, entity, body, request):
        element["content"] = text
        _show(feishu, entity)
    return _done()


def settings(feishu: "Feishu", account: Account, request: Request, card_id: str) -> Response:
    """`PATCH /open-apis/cardkit/v1/cards/:card_id/settings`."""
    entity, body = _entity(feishu, account, card_id), _object(request)
    config = _json(body.get("settings")).get("config")
    if not isinstance(config, dict):
        raise FeishuError(300122, "settings need a config")
    if _change(feishu, entity, body, request):
        entity.card["config"] = {**entity.card.get("config", {}), **config}
        entity.streaming_since = feishu.clock() if _streams(entity.card) else None
        _show(feishu, entity)
    return _done()


def sent(feishu: "Feishu", account: Account, card_id: str) -> Entity:
    """The entity for a message that shows it. It can be sent once. Raises FeishuError."""
    entity = _entity(feishu, account, card_id)
    if entity.message_id:
        raise card_error(200740, "the card entity has been sent")
    return entity


def id_in(msg_type: Any, content: Any) -> str:
    """The id of the card entity that the content of a message names; empty if it names none."""
    if msg_type != "interactive" or not isinstance(content, str):
        return ""
    try:
        value = json.loads(content)
    except ValueError:
        return ""
    data = value.get("data") if isinstance(value, dict) and value.get("type") == "card" else None
    return str(data.get("card_id") or "") if isinstance(data, dict) else ""


def is_generating(feishu: "Feishu", message: Message) -> bool:
    """Whether clients show `message` as being written."""
    shown = (entity for entity in feishu.entities.values() if entity.message_id == message.id)
    return any(entity.is_streaming(feishu.clock()) for entity in shown)


def _entity(feishu: "Feishu", account: Account, card_id: str) -> Entity:
    entity = feishu.entities.get(card_id)
    if entity is None:
        raise FeishuError(200740, "card entity not found")
    if entity.app != account.name:
        raise FeishuError(300311, "no permission for this card")
    if feishu.clock() - entity.created > DAYS * 86_400:
        raise FeishuError(200750, "card entity expired")
    return entity


def _change(feishu: "Feishu", entity: Entity, body: dict[str, Any], request: Request) -> bool:
    """Count a change. False if it is a repetition, which changes nothing. Raises FeishuError."""
    uuid, number = body.get("uuid") or "", body.get("sequence")
    if not isinstance(uuid, str) or len(uuid) > 64:
        raise FeishuError(10002, "uuid must have 1 to 64 characters")
    if uuid in entity.changes:
        if entity.changes[uuid] != request.body:
            raise FeishuError(200770, "uuid conflict")
        return False
    if feishu.windows.acquire([RateLimit(("entity", entity.id), PER_SECOND, 1)], feishu.clock()):
        raise FeishuError(99991400, "request trigger frequency limit")
    if not isinstance(number, int) or not 0 < number <= _MAX_NUMBER:
        raise FeishuError(10002, "sequence must be a positive int32")
    if number <= entity.number:
        raise FeishuError(300317, "sequence is not higher than the last one")
    entity.number = number
    if uuid:
        entity.changes[uuid] = request.body
    return True


def _show(feishu: "Feishu", entity: Entity) -> None:
    """Let the message show the card as it is now."""
    message = feishu.messages.get(entity.message_id)
    if message is not None:
        message.content, message.edited = entity.card, feishu.clock()
        feishu.put_message(message)


def _card(value: Any) -> cards.Card:
    """The card JSON 2.0 in a request. Raises FeishuError."""
    data = value.get("data") if isinstance(value, dict) and value.get("type") == "card_json" else None
    if not isinstance(data, str):
        raise FeishuError(10002, "invalid parameter")
    if len(data.encode()) > cards.CARD_BYTES:
        raise FeishuError(200860, "the card is too large")
    card = _json(data)
    if not cards.is_v2(card):
        raise FeishuError(300303, "invalid schema")
    if not cards.is_shared(card):
        raise FeishuError(300302, "update_multi must be true")
    try:
        checked = cards.check_card(data)
    except FeishuError as error:
        raise FeishuError(200220, f"generate card failed: {error}") from error
    ids = [each["element_id"] for each in cards.walk(checked) if "element_id" in each]
    if len(ids) != len(set(ids)):
        raise FeishuError(300301, "duplicate element_id")
    return checked


def _streams(card: cards.Card) -> bool:
    return card.get("config", {}).get("streaming_mode") is True


def _object(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise FeishuError(10002, "invalid parameter")
    return body


def _json(value: Any) -> dict[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise FeishuError(10002, "invalid parameter")
    return found


def _done() -> Response:
    return Response.of({"code": 0, "msg": "success", "data": {}})
