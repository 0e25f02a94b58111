"""Template cards. The error codes for each invalid field of a card are not documented (unverified).

Facts: WeCom docs, Send application messages › Template cards; Update template cards; Template card events.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parley.platforms.tencent.buttons import unpack
from playground.platforms.base import NotFoundError, Press
from playground.platforms.buttons import find_number
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Message, NamedButton
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError, ok
from playground.platforms.wecom import menus
from playground.platforms.wecom.menus import invalid

if TYPE_CHECKING:
    from playground.platforms.wecom import Wecom

RESPONSE_CODE_SECONDS = 72 * 3600
_TYPES = ("text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction")
_INTERACTIVE = ("button_interaction", "vote_interaction", "multiple_interaction")
_BUTTONS, _KEY = 6, 1024
_TASK = re.compile(r"[A-Za-z0-9_@-]{1,128}")


@dataclass(slots=True)
class ResponseCode:
    """The code of a press: it allows one update of the card."""

    app: str
    message_id: str
    expires: float
    used: bool = False


def check(card: Any) -> dict[str, Any]:
    """The card, validated. Raises TencentError."""
    if not isinstance(card, dict) or card.get("card_type") not in _TYPES:
        raise invalid("card_type")
    if not (card.get("main_title") or {}).get("title") and not card.get("sub_title_text"):
        raise invalid("main_title")
    if card["card_type"] in _INTERACTIVE:
        _check_task(card)
    if card["card_type"] == "button_interaction":
        _check_buttons(card)
    menus.check(card)
    return card


def _check_task(card: Mapping[str, Any]) -> None:
    task = card.get("task_id")
    if not isinstance(task, str) or not _TASK.fullmatch(task):
        raise invalid("task_id")


def _check_buttons(card: Mapping[str, Any]) -> None:
    buttons = card.get("button_list")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= _BUTTONS:
        raise invalid("button_list")
    for button in buttons:
        key = button.get("url") if button.get("type") == 1 else button.get("key")
        if not button.get("text") or not key or len(str(key).encode()) > _KEY:
            raise invalid("button_list")


def use_task_id(wecom: "Wecom", account: Account, card: Mapping[str, Any]) -> None:
    """Record the task id of a card. Raises TencentError if the app has used it before."""
    task = (account.name, str(card.get("task_id") or ""))
    if task[1] and task in wecom.tasks:
        raise TencentError(42014, "taskid has existed or empty or exceed max len")
    wecom.tasks.add(task)


def find_button(message: Message, wanted: NamedButton) -> dict[str, Any]:
    """The button with that id, text, key or number. A menu has one, which submits it. Raises NotFoundError, also for a
    button that opens a page.
    """
    has_buttons = message.type == "template_card" and not message.recalled and not message.content.get("pressed")
    listed = buttons_of(message.content) if has_buttons else []
    number = find_number(wanted, map(_names, listed))
    if number is None or not _names(listed[number]):
        raise NotFoundError(f"message {message.id!r} has no button {wanted!r}")
    return listed[number]


def buttons_of(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a template card. The title of a menu is a name of its button."""
    submit = card.get("submit_button")
    named = [{**submit, "text": menus.name_of(card)}] if submit else []
    return [*(card.get("button_list") or ()), *named]


def _names(button: Mapping[str, Any]) -> tuple[str, ...]:
    key = str(button.get("key") or "")
    return () if button.get("type") == 1 else (unpack(key)[0], str(button["text"]), key)


def press_fields(message: Message, button: Mapping[str, Any], code: str, press: Press) -> dict[str, Any]:
    """The fields of the event of a press, without sender and receiver."""
    fields = {
        "Event": "template_card_event",
        "EventKey": button["key"],
        "TaskId": message.content.get("task_id", ""),
        "CardType": message.content["card_type"],
        "ResponseCode": code,
    }
    answers = menus.answers(message.content, press)
    items = [{"QuestionKey": question, "OptionIds": {"OptionId": ticked}} for question, ticked in answers.items()]
    return fields | ({"SelectedItems": {"SelectedItem": items}} if items else {})


def update(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/update_template_card`: once per press."""
    body = request.json()
    body = body if isinstance(body, dict) else {}
    if body.get("agentid") != account.agent:
        raise TencentError(40056, "invalid agentid")
    code = wecom.response_codes.get(str(body.get("response_code")))
    if code is None or code.app != account.name or code.used or code.expires <= wecom.clock():
        raise TencentError(40058, "invalid Request Parameter: response_code")
    message = wecom.messages[code.message_id]
    message.content = _updated(message.content, body)
    code.used, message.edited = True, wecom.clock()
    wecom.note_call(room=message.room, message_id=message.id)
    wecom.put_message(message)
    return ok(invaliduser=[])


def _updated(card: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    if "template_card" in body:
        return check(body["template_card"])
    name = (body.get("button") or {}).get("replace_name")
    if not isinstance(name, str) or not name:
        raise TencentError(40058, "invalid Request Parameter: replace_name")
    return {**card, "button_list": [{"text": name, "style": 4, "type": 0, "key": "replaced"}], "pressed": True}
