"""What a callback is answered with: nothing, or a message for the person who wrote.

Facts: WeCom docs, Passive replies; WeChat docs, Passive replies to users.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.tencent import store, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import Refused

if TYPE_CHECKING:
    from playground.platforms.tencent import Tencent

LONGEST = 2048
"""Bytes of a text."""


class Wrong(Exception):
    """The answer cannot be understood; the text says why."""


def said(tencent: "Tencent", account: Account, person: str, body: bytes) -> tuple[str, dict[str, Any]] | None:
    """Type and content of the message in an answer, in the form of the active API; None where it says nothing. `person`
    is the id of who wrote. Raises Wrong."""
    if body in tencent.nothings:
        return None
    try:
        fields = _opened(tencent, account, wire.read_xml(body))
        _check_ends(account, person, fields)
        return _content(tencent, fields)
    except ValueError as error:
        raise Wrong(str(error)) from error
    except Refused as error:
        raise Wrong(f"{error.code} {error}") from error


def _opened(tencent: "Tencent", account: Account, fields: dict[str, Any]) -> dict[str, Any]:
    encrypted = fields.get("Encrypt")
    if not encrypted:
        if tencent.must_encrypt(account):
            raise Wrong("the answer is not encrypted")
        return fields
    stamp, nonce = str(fields.get("TimeStamp") or ""), str(fields.get("Nonce") or "")
    if not stamp.isdigit():
        raise Wrong("TimeStamp is not a number")
    if fields.get("MsgSignature") != wire.sign(account.token, stamp, nonce, encrypted):
        raise Wrong("MsgSignature does not hold")
    plain, receiver = wire.decrypt(account.key, encrypted)
    if receiver != account.id:
        raise Wrong(f"it is encrypted for {receiver!r}")
    return wire.read_xml(plain)


def _check_ends(account: Account, person: str, fields: dict[str, Any]) -> None:
    if fields.get("ToUserName") != person:
        raise Wrong(f"ToUserName is {fields.get('ToUserName')!r}, not who wrote")
    if fields.get("FromUserName") != account.owner:
        raise Wrong(f"FromUserName is {fields.get('FromUserName')!r}, not the account")
    if not str(fields.get("CreateTime") or "").isdigit():
        raise Wrong("CreateTime is not a number")


def _content(tencent: "Tencent", fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = str(fields.get("MsgType"))
    match kind:
        case "text":
            text = str(fields.get("Content") or "")
            if not 0 < len(text.encode()) <= LONGEST:
                raise Wrong(f"a text of {len(text.encode())} bytes: 1 to {LONGEST} are taken")
            return kind, {"content": text}
        case "image" | "voice" | "video":
            inner = fields.get(kind.capitalize())
            handle = inner.get("MediaId") if isinstance(inner, dict) else None
            return kind, {"media_id": store.find(tencent, handle, kind).key}
        case "news":
            return kind, {"articles": _articles(tencent, fields)}
        case "transfer_customer_service" if tencent.has_agents:
            return kind, {}
        case _:
            raise Wrong(f"no passive reply has the MsgType {kind!r}")


def _articles(tencent: "Tencent", fields: dict[str, Any]) -> list[dict[str, str]]:
    listed = fields.get("Articles")
    found = listed.get("item") if isinstance(listed, dict) else None
    items = [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]
    if not 1 <= len(items) <= tencent.articles or str(fields.get("ArticleCount")) != str(len(items)):
        raise Wrong(f"{len(items)} articles, where ArticleCount is {fields.get('ArticleCount')!r}")
    return [{name.lower(): str(item.get(name) or "") for name in _ARTICLE} for item in items]


_ARTICLE = ("Title", "Description", "PicUrl", "Url")
