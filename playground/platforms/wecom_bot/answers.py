"""The answers of a bot within its callbacks, and what WeCom takes of them.

Facts: WeCom docs, Smart bots › Passive replies, Template cards. What WeCom does with an answer that is not allowed is
not documented: here nobody sees it.
"""

from base64 import b64decode
from collections.abc import Mapping
from hashlib import md5
from typing import TYPE_CHECKING, Any

from playground.platforms.media import image_type
from playground.platforms.tencent.errors import TencentError
from playground.platforms.wecom import cards

if TYPE_CHECKING:
    from playground.platforms.wecom_bot import WecomBot

MAX_BYTES = 20_480
MAX_IMAGES, MAX_IMAGE = 10, 10 * 2**20
MAX_FEEDBACK_ID = 256
ALLOWED = {
    "message": ("stream", "template_card", "stream_with_template_card"),
    "poll": ("stream", "stream_with_template_card"),
    "enter_chat": ("text", "template_card"),
    "template_card_event": ("update_template_card",),
    "feedback_event": (),
}
"""The kinds of answers, by what is answered."""


def check(answered: str, answer: dict[str, Any]) -> str:
    """The kind of an answer. Raises TencentError."""
    kind = str(answer.get("msgtype") or answer.get("response_type"))
    if kind not in ALLOWED.get(answered, ()):
        raise TencentError(40008, f"{kind} is no answer to {answered}")
    return kind


def stream(answer: dict[str, Any], expected: str) -> tuple[str, str, bool]:
    """Id, text and end of the stream in an answer. `expected`: the id that WeCom polls for. Raises TencentError."""
    found = answer.get("stream")
    if not isinstance(found, dict) or not isinstance(found.get("finish"), bool):
        raise TencentError(40058, "invalid Request Parameter: stream")
    id_, content = str(found.get("id") or expected), found.get("content")
    if not id_ or (expected and id_ != expected):
        raise TencentError(40058, "invalid Request Parameter: stream.id")
    feedback = found.get("feedback")
    if feedback is not None and (expected or not 0 < len(str(feedback["id"]).encode()) <= MAX_FEEDBACK_ID):
        raise TencentError(40058, "invalid Request Parameter: stream.feedback")
    return id_, text(content) if content else "", found["finish"]


def images(answer: Mapping[str, Any]) -> list[bytes]:
    """The images of the last answer of a stream. Raises TencentError."""
    found = answer["stream"].get("msg_item") or []
    if found and not (answer["stream"]["finish"] and isinstance(found, list) and len(found) <= MAX_IMAGES):
        raise TencentError(40058, "invalid Request Parameter: stream.msg_item")
    return [_image(item) for item in found]


def _image(item: Any) -> bytes:
    image = item.get("image") if isinstance(item, dict) and item.get("msgtype") == "image" else None
    try:
        data = b64decode(image["base64"], validate=True) if isinstance(image, dict) else b""
    except (KeyError, TypeError, ValueError):
        data = b""
    is_whole = isinstance(image, dict) and md5(data, usedforsecurity=False).hexdigest() == image.get("md5")
    if not is_whole or len(data) > MAX_IMAGE or image_type(data) not in ("image/png", "image/jpeg"):
        raise TencentError(40058, "invalid Request Parameter: stream.msg_item.image")
    return data


def text(content: object) -> str:
    """A text or markdown. Raises TencentError."""
    if not isinstance(content, str) or not content.strip():
        raise TencentError(44004, "empty content")
    if len(content.encode()) > MAX_BYTES:
        raise TencentError(45002, "content size out of limit")
    return content


def card(bot: "WecomBot", app: str, value: Any, press: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A template card. Raises TencentError, also for a task id that the bot has used before.

    `press`: the callback of the press on the card that it replaces, under the same task id.
    """
    checked = cards.check(value)
    if checked["card_type"] in ("text_notice", "news_notice"):
        action = checked.get("card_action")
        if not isinstance(action, dict) or action.get("type") not in (1, 2):
            raise TencentError(42045, "invalid card_action")
    task = (app, str(checked.get("task_id") or ""))
    if press is not None:
        if task[1] != press["event"]["template_card_event"]["task_id"]:
            raise TencentError(40058, "invalid Request Parameter: task_id")
        return checked
    if task[1] and task in bot.tasks:
        raise TencentError(42014, "taskid has existed or empty or exceed max len")
    bot.tasks.add(task)
    return checked
