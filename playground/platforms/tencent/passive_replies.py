"""Passive replies: messages in the response to a callback.

Facts: WeCom docs, Passive replies; WeChat docs, Passive replies to users.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.tencent import media, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError

if TYPE_CHECKING:
    from playground.platforms.tencent import Tencent

MAX_TEXT_BYTES = 2048
_ARTICLE = ("Title", "Description", "PicUrl", "Url")


class InvalidReplyError(Exception):
    """The platform cannot use the response. The text says why."""


def passive_reply(tencent: "Tencent", account: Account, person: str, body: bytes) -> tuple[str, dict[str, Any]] | None:
    """Type and content of the message in a response, in the form of the message API; None if the response is empty.
    `person`: the user id of the sender of the message. Raises InvalidReplyError."""
    if body in tencent.empty_responses:
        return None
    try:
        fields = _decrypt(tencent, account, wire.read_xml(body))
        _check_addresses(account, person, fields)
        return _content(tencent, fields)
    except ValueError as error:
        raise InvalidReplyError(str(error)) from error
    except TencentError as error:
        raise InvalidReplyError(f"{error.code} {error}") from error


def _decrypt(tencent: "Tencent", account: Account, fields: dict[str, Any]) -> dict[str, Any]:
    encrypted = fields.get("Encrypt")
    if not encrypted:
        if tencent.must_encrypt(account):
            raise InvalidReplyError("the reply is not encrypted")
        return fields
    stamp, nonce = str(fields.get("TimeStamp") or ""), str(fields.get("Nonce") or "")
    if not stamp.isdigit():
        raise InvalidReplyError("TimeStamp is not a number")
    if fields.get("MsgSignature") != wire.sign(account.token, stamp, nonce, encrypted):
        raise InvalidReplyError("MsgSignature is wrong")
    plain, receiver = wire.decrypt(account.key, encrypted)
    if receiver != account.id:
        raise InvalidReplyError(f"it is encrypted for {receiver!r}")
    return wire.read_xml(plain)


def _check_addresses(account: Account, person: str, fields: dict[str, Any]) -> None:
    if fields.get("ToUserName") != person:
        raise InvalidReplyError(f"ToUserName is {fields.get('ToUserName')!r}, not the sender of the message")
    if fields.get("FromUserName") != account.owner:
        raise InvalidReplyError(f"FromUserName is {fields.get('FromUserName')!r}, not the account")
    if not str(fields.get("CreateTime") or "").isdigit():
        raise InvalidReplyError("CreateTime is not a number")


def _content(tencent: "Tencent", fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = str(fields.get("MsgType"))
    match kind:
        case "text":
            text = str(fields.get("Content") or "")
            if not 0 < len(text.encode()) <= MAX_TEXT_BYTES:
                raise InvalidReplyError(f"the text has {len(text.encode())} bytes; allowed are 1 to {MAX_TEXT_BYTES}")
            return kind, {"content": text}
        case "image" | "voice" | "video":
            inner = fields.get(kind.capitalize())
            handle = inner.get("MediaId") if isinstance(inner, dict) else None
            return kind, {"media_id": media.find(tencent, handle, kind).key}
        case "news":
            return kind, {"articles": _articles(tencent, fields)}
        case "transfer_customer_service" if tencent.transfers_to_agents:
            return kind, {}
        case _:
            raise InvalidReplyError(f"no passive reply has the MsgType {kind!r}")


def _articles(tencent: "Tencent", fields: dict[str, Any]) -> list[dict[str, str]]:
    listed = fields.get("Articles")
    found = listed.get("item") if isinstance(listed, dict) else None
    items = [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]
    if not 1 <= len(items) <= tencent.max_articles or str(fields.get("ArticleCount")) != str(len(items)):
        raise InvalidReplyError(f"{len(items)} articles; ArticleCount is {fields.get('ArticleCount')!r}")
    return [{name.lower(): str(item.get(name) or "") for name in _ARTICLE} for item in items]
