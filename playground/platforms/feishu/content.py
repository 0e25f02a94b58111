"""Validation of the content that a bot sends, by `msg_type`. Facts: Feishu docs, Message content (send)."""

from collections.abc import Callable, Mapping
from typing import Any

from playground.platforms.feishu.cards import CARD_BYTES, check_card, json_object
from playground.platforms.feishu.errors import FeishuError, bad_parameter

TEXT_BYTES = 150 * 1024
POST_BYTES = 30 * 1024
_LOCALES = frozenset(
    "zh_cn en_us ja_jp zh_hk zh_tw id_id vi_vn th_th pt_br es_es ko_kr de_de fr_fr it_it ru_ru ms_my".split()
)
_POST_TAGS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "a": ("text", "href"),
    "at": ("user_id",),
    "img": ("image_key",),
    "media": ("file_key",),
    "emotion": ("emoji_type",),
    "hr": (),
    "code_block": ("text",),
    "md": ("text",),
}
"""Tags of a post and their required fields."""

HasKey = Callable[[str], bool]
"""Whether this app uploaded the file with that key."""


def check_content(msg_type: Any, content: Any, size: int, has_key: HasKey) -> Any:
    """The decoded content of a message. `size`: bytes of the whole request. Raises FeishuError."""
    if not isinstance(msg_type, str) or msg_type not in _CHECKS:
        raise bad_parameter(f"msg_type is invalid: {msg_type!r}")
    if not isinstance(content, str):
        raise bad_parameter("content is not a string in json format")
    limit = {"text": TEXT_BYTES, "interactive": CARD_BYTES}.get(msg_type, POST_BYTES)
    if size > limit:
        raise FeishuError(230025, f"The length of the message content reaches its limit, ext=limit {limit} bytes.")
    return _CHECKS[msg_type](content, has_key)


def _string(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise bad_parameter(f"content needs {name}")
    return found


def _text(content: str, _has_key: HasKey) -> Any:
    value = json_object(content)
    _string(value, "text")
    return value


def _post(content: str, has_key: HasKey) -> Any:
    value = json_object(content)
    if not value or not _LOCALES.issuperset(value):
        raise bad_parameter("post content must be wrapped in a locale such as zh_cn or en_us")
    for body in value.values():
        rows = body.get("content") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not rows:
            raise bad_parameter("post content must be an array of paragraphs")
        for element in (element for row in rows for element in (row if isinstance(row, list) else [None])):
            _post_element(element, has_key)
    return value


def _post_element(element: Any, has_key: HasKey) -> None:
    tag = str(element.get("tag")) if isinstance(element, dict) else ""
    if tag not in _POST_TAGS:
        raise bad_parameter(f"post element has an unknown tag {tag!r}")
    for name in _POST_TAGS[tag]:
        if not isinstance(element.get(name), str):
            raise bad_parameter(f"post element {tag} needs {name}")
    if tag == "img" and not has_key(element["image_key"]):
        raise bad_parameter("image_key is invalid")


def _key(*names: str) -> Callable[[str, HasKey], Any]:
    def check(content: str, has_key: HasKey) -> Any:
        value = json_object(content)
        for name in names:
            if not has_key(_string(value, name)):
                raise bad_parameter(f"{name} is invalid")
        return value

    return check


def _share(name: str) -> Callable[[str, HasKey], Any]:
    def check(content: str, _has_key: HasKey) -> Any:
        value = json_object(content)
        _string(value, name)
        return value

    return check


def _media(content: str, has_key: HasKey) -> Any:
    value = _key("file_key")(content, has_key)
    return _key("image_key")(content, has_key) if value.get("image_key") else value


_CHECKS: Mapping[str, Callable[[str, HasKey], Any]] = {
    "text": _text,
    "post": _post,
    "image": _key("image_key"),
    "file": _key("file_key"),
    "audio": _key("file_key"),
    "media": _media,
    "sticker": _share("file_key"),
    "interactive": lambda content, _has_key: check_card(content),
    "share_chat": _share("chat_id"),
    "share_user": _share("user_id"),
}
