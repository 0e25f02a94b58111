"""The replies to a message as they go out, and what else its people are shown."""

from parley.adapter import SupportsSilence
from parley.model import Destination, Message, Outgoing, Reply, message_key, reply_id
from parley.model.agenda import REMINDER
from parley.model.aws_events import AWS
from parley.platforms import outbound


def is_awaited(message: Message) -> bool:
    """Whether people wait for what the bot does with `message`."""
    return message.kind != "event" or (message.event == REMINDER and message.platform != AWS)


def silence(message: Message, replies: list[Reply], now: float) -> list[Reply]:
    """The reply that removes the platform's placeholder, if no reply goes to the conversation of `message`. A reaction
    leaves the placeholder where it is.
    """
    if message.platform == AWS or any(reply.to is None and reply.op != "react" for reply in replies):
        return []
    sending = outbound(message.platform)
    removal = sending.silence(message, now) if isinstance(sending, SupportsSilence) else None
    return [removal] if removal is not None else []


def outgoing(message: Message, ordinal: int | str, reply: Reply, now: float) -> Outgoing:
    """`reply` as the reply number `ordinal` to `message`, decided at `now`. `"apology"` stands for no number."""
    key = message_key(message)
    return Outgoing(
        id=reply_id(key, ordinal),
        message_key=key,
        ordinal=ordinal if isinstance(ordinal, int) else -1,
        to=reply.to or Destination.answering(message),
        reply=reply,
        created=now,
    )
