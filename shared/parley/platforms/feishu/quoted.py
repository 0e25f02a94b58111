"""Messages that another message quotes or forwards (Feishu docs: Messages > Get the specified message).

They need the permission `im:message`, and the bot in the chat.
"""

from urllib.parse import quote

from parley.adapter import IDEMPOTENT, Answer, App, Call
from parley.model import plain_text
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.content import FORWARD, segments
from parley.platforms.feishu.media import BEARER
from parley.platforms.feishu.mentions import Mentions
from parley.platforms.feishu.values import Object
from parley.untrusted import mapping, mappings, scalar


def quote_call(message_id: str, app: App) -> Call:
    """See `parley.adapter.SupportsQuotes`."""
    config: Config = app.config
    return Call(
        name="quote",
        method="GET",
        url=f"{config.api}/open-apis/im/v1/messages/{quote(message_id, safe='')}",
        auth=BEARER,
        idempotent_for=IDEMPOTENT,
        timeout=5,
    )


def read_quote(answer: Answer) -> str:
    """See `parley.adapter.SupportsQuotes`. A forward comes with the messages in it, one line or more for each."""
    items = mappings(mapping(answer.json().get("data")).get("items"))
    return "\n".join(filter(None, map(_text, items)))


def _text(item: Object) -> str:
    kind = scalar(item.get("msg_type"))
    if kind == FORWARD or item.get("deleted") is True:
        return ""
    content = mapping(item.get("body")).get("content")
    return plain_text(segments(kind, content, Mentions.of(item.get("mentions"), "")))
