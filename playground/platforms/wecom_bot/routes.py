"""The API of smart bots: the `response_url` of a message, and the store of media.

Facts: WeCom docs, Smart bots › Active replies, Receiving messages.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.model import Message
from playground.platforms.routing import Router, route
from playground.platforms.tencent.errors import TencentError, ok
from playground.platforms.wecom_bot import answers, wire

if TYPE_CHECKING:
    from playground.platforms.wecom_bot import WecomBot

URL_SECONDS, MEDIA_SECONDS = 3600, 300


def respond(bot: "WecomBot", request: Request) -> Response:
    """`POST /cgi-bin/aibot/response?response_code=`: one new message, within an hour. The codes for a used and for an
    expired address are not documented.
    """
    right = bot.rights.get(request.query.get("response_code", ""))
    if right is None or right.used or bot.clock() > right.until:
        raise TencentError(40058, "invalid Request Parameter: response_code")
    bot.note_call(app=right.app, room=right.room)
    kind, content = _content(bot, right.app, request.json())
    right.used = True
    message = Message(bot.hex(), right.room, right.app, "bot", kind, content, bot.clock(), right.app)
    bot.note_call(message_id=bot.put_message(message).id)
    return ok()


def _content(bot: "WecomBot", app: str, body: Any) -> tuple[str, dict[str, Any]]:
    kind = body.get("msgtype") if isinstance(body, dict) else None
    match kind:
        case "markdown":
            return "stream", {"content": answers.text((body.get(kind) or {}).get("content"))}
        case "template_card":
            return kind, answers.card(bot, app, body.get(kind))
        case _:
            raise TencentError(40008, "invalid message type")


def media(bot: "WecomBot", _request: Request, app: str, key: str) -> Response:
    """A file that a person has sent, encrypted with the key of the bot. The address is valid for five minutes."""
    blob, account = bot.blobs.get(key), bot.accounts.get(app)
    if blob is None or account is None or blob.expires <= bot.clock():
        return Response(403)
    return Response.file(wire.file(account.key, blob.data), "application/octet-stream", blob.name)


ROUTER = Router(
    route("POST", "/cgi-bin/aibot/response", respond, authenticated=False),
    route("GET", "/media/{app}/{key}", media, authenticated=False),
)
