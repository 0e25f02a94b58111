"""Webhooks of group robots. Facts: WeCom docs, Group robots."""

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.limits import RateLimit
from playground.platforms.media import image_type
from playground.platforms.model import Message
from playground.platforms.tencent import media
from playground.platforms.tencent.errors import TencentError, ok
from playground.platforms.tencent.media import MEGABYTE, MediaType
from playground.platforms.tencent.requests import json_body
from playground.platforms.wecom.messages import check_message

if TYPE_CHECKING:
    from playground.platforms.wecom import Robot, Wecom

PER_MINUTE = 20
MAX_MARKDOWN_BYTES = 4096
MAX_IMAGE_BYTES = 2 * MEGABYTE
_MEDIA_TYPES = {"file": MediaType(20 * MEGABYTE), "voice": MediaType(2 * MEGABYTE, ("amr",))}
_TYPES = ("text", "markdown", "news", "file", "voice", "template_card")
_CARDS = ("text_notice", "news_notice")
"""The types of cards without buttons."""


def push(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/webhook/send?key=`."""
    robot = _robot(wecom, request)
    kind, content = _content(wecom, json_body(request))
    if wecom.windows.acquire([RateLimit(("robot", robot.key), PER_MINUTE, 60)], wecom.clock()):
        raise TencentError(*wecom.rate_limit_error)
    message = Message(wecom.hex(40), robot.room, robot.name, "webhook", kind, content, wecom.clock())
    wecom.put_message(message)
    wecom.note_call(room=robot.room, message_id=message.id)
    return ok()


def upload(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/webhook/upload_media?key=&type=`."""
    _robot(wecom, request)
    blob = media.store_upload(wecom, request, _MEDIA_TYPES)
    return ok(type=blob.kind, media_id=blob.key, created_at=str(int(wecom.clock())))


def _robot(wecom: "Wecom", request: Request) -> "Robot":
    robot = wecom.robots.get(request.query.get("key", ""))
    if robot is None:
        raise TencentError(93000, "invalid webhook url")
    return robot


def _content(wecom: "Wecom", body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = body.get("msgtype")
    if kind == "image":
        return "image", _image(wecom, body.get("image"))
    if kind not in _TYPES or (kind == "template_card" and (body.get(kind) or {}).get("card_type") not in _CARDS):
        raise TencentError(40008, "invalid message type")
    return check_message(wecom, body, markdown=MAX_MARKDOWN_BYTES)


def _image(wecom: "Wecom", content: Any) -> dict[str, Any]:
    """Store an image that the request contains in Base64."""
    try:
        data = base64.b64decode(content["base64"], validate=True)
    except (TypeError, KeyError, binascii.Error, ValueError) as error:
        raise TencentError(40058, "invalid Request Parameter: base64") from error
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != content.get("md5"):
        raise TencentError(40058, "invalid Request Parameter: md5")
    if len(data) > MAX_IMAGE_BYTES or image_type(data) not in ("image/png", "image/jpeg"):
        raise TencentError(40009, "invalid image size")
    return {"media_id": media.store(wecom, "image", data).key}
