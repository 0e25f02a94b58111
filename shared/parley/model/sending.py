"""A reply that a program sends first: the message that takes it through the inbound queue to its conversation."""

import msgspec
from msgspec.structs import replace

from parley.errors import AuthorError, without_value
from parley.model.conversation import digest
from parley.model.message import Content, Context, Message, Sender
from parley.model.reply import Destination, Reply

SEND = "parley.send"
"""`Message.event` of such a message, and the `detail-type` of an EventBridge event that asks for one. No platform has
an event of this name.
"""


class Sending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`parley.send` as JSON: the `detail` of an EventBridge event, or the message of an SNS notification.

    `stage`: the deployment. Only EventBridge needs it: stages can share a bus. The stack of the stage gets the event.
    `reply`: a text, or a whole reply. Without a `key`, the id of the event is the key. Each `PutEvents` and `Publish`
    makes a new id.
    """

    destination: Destination
    reply: str | Reply
    key: str = ""
    stage: str = ""


def message_with(reply: Reply, destination: Destination, key: str, now: float, *, keeps_token: bool = False) -> Message:
    """The message that has `reply` delivered to `destination`. Its id is the same for the same conversation and `key`.

    The bot does not get it: the decision about it is the reply. What is only valid for an answer is left out of the
    destination. `keeps_token`: but its reply token, without which the bot cannot write there.
    """
    to = replace(destination, kind="")
    if not keeps_token:
        to = replace(to, reply_token="", reply_token_expires=0)
    return Message(
        id=f"send-{digest(destination.key, key)[:32]}",
        platform=destination.platform,
        app=destination.app,
        kind="event",
        event=SEND,
        sender=Sender(id=destination.user_id, kind="system"),
        content=Content(),
        timestamp=int(now),
        context=Context(
            # A webhook is a place of its own, as in `Destination.key`.
            room_id=destination.webhook or destination.room_id,
            thread_id=destination.thread_id,
            tenant=destination.tenant,
        ),
        raw=msgspec.to_builtins(replace(reply, to=to)),
    )


def reply_in(message: Message) -> Reply:
    """The reply in a message of `message_with`. Raises AuthorError, which names the field, if it is not valid."""
    try:
        return msgspec.convert(message.raw, Reply)
    except msgspec.ValidationError as error:
        raise AuthorError(f"the reply of parley.send is not valid: {without_value(error)}") from error
