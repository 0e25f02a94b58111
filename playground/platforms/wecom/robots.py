"""Group robots. Facts: WeCom docs, Group robots."""

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from playground.platforms.feishu.store import picture_type
from playground.platforms.http import Request, Response
from playground.platforms.limits import Rule
from playground.platforms.model import Message
from playground.platforms.tencent import store
from playground.platforms.tencent.errors import Refused, done
from playground.platforms.tencent.store import MEGABYTE, Sort
from playground.platforms.wecom.sending import checked

if TYPE_CHECKING:
    from playground.platforms.wecom import Robot, Wecom

PER_MINUTE = 20
MARKDOWN = 4096
IMAGE = 2 * MEGABYTE
_SORTS = {"file": Sort(20 * MEGABYTE), "voice": Sort(2 * MEGABYTE, ("amr",))}
_TYPES = ("text", "markdown", "news", "file", "voice", "template_card")
_CARDS = ("text_notice", "news_notice")
"""A robot's card has no buttons."""


def push(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/webhook/send?key=`."""
    robot = _robot(wecom, request)
    body = request.json()
    if not isinstance(body, dict):
        raise Refused(47001, "data format error")
    kind, content = _content(wecom, body)
    if wecom.windows.take([Rule(("robot", robot.key), PER_MINUTE, 60)], wecom.clock()):
        raise Refused(*wecom.limit_code)
    message = Message(wecom.hex(40), robot.room, robot.name, "webhook", kind, content, wecom.clock())
    wecom.put_message(message)
    wecom.note_call(room=robot.room, message_id=message.id)
    return done()


def upload(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/webhook/upload_media?key=&type=`."""
    _robot(wecom, request)
    blob = store.uploaded(wecom, request, _SORTS)
    return done(type=blob.kind, media_id=blob.key, created_at=str(int(wecom.clock())))


def _robot(wecom: "Wecom", request: Request) -> "Robot":
    robot = wecom.robots.get(request.query.get("key", ""))
    if robot is None:
        raise Refused(93000, "invalid webhook url")
    return robot


def _content(wecom: "Wecom", body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = body.get("msgtype")
    if kind == "image":
        return "image", _image(wecom, body.get("image"))
    if kind not in _TYPES or (kind == "template_card" and (body.get(kind) or {}).get("card_type") not in _CARDS):
        raise Refused(40008, "invalid message type")
    return checked(wecom, body, markdown=MARKDOWN)


def _image(wecom: "Wecom", content: Any) -> dict[str, Any]:
    """A picture by its bytes; kept like any other, for the page."""
    try:
        data = base64.b64decode(content["base64"], validate=True)
    except (TypeError, KeyError, binascii.Error, ValueError) as error:
        raise Refused(40058, "invalid Request Parameter: base64") from error
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != content.get("md5"):
        raise Refused(40058, "invalid Request Parameter: md5")
    if len(data) > IMAGE or picture_type(data) not in ("image/png", "image/jpeg"):
        raise Refused(40009, "invalid image size")
    return {"media_id": store.keep(wecom, "image", data).key}
