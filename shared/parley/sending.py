"""`parley.send`: a reply that no message asked for, from any program with the permission.

It imports the AWS SDK and the model, and neither a bot nor a platform.
"""

import time

from msgspec.structs import replace

from parley.engine import queues
from parley.errors import ResultError
from parley.model import AnySegment, Destination, Message, Reply
from parley.model.sending import message_with
from parley.platforms import answers_only
from parley.reply_checks import check_content, check_destination, check_size, is_blank

MAX_KEY = 256
"""Characters of a key."""


def send(destination: Destination, reply: str | AnySegment | Reply, *, key: str, queue: str = "") -> str:
    """Deliver `reply` to `destination` once, in the order of the conversation, as a bot's own replies.

    `key` names the reply in its conversation: a second `send` with the same key does nothing, also with another reply,
    from another process, or after a crash. Parley remembers keys for 30 days (the parameter `RetentionDays`).
    `queue`: the URL of the stack's inbound queue (output `InboundQueueUrl`); by default the environment variable
    PARLEY_INBOUND_URL.

    Returns the id of the message that takes the reply through the queue: logs and the journal have it. Repeat the call
    if it raises AwsError (`botocore.exceptions`): the reply may be in the queue.

    Raises ValueError if the key or the destination is not complete, and ResultError if the reply is too large, or if
    its platform cannot show it. An app that is not configured is no error here: its reply waits, and then fails.
    """
    message = prepared(destination, reply, key)
    queues.send_messages([message], queue)
    return message.id


def prepared(destination: Destination, reply: str | AnySegment | Reply, key: str) -> Message:
    """The message that `send` puts into the queue. Raises as `send`, but no AwsError."""
    if not 0 < len(key) <= MAX_KEY:
        raise ValueError(f"the key has {len(key)} characters; possible are 1 to {MAX_KEY}")
    check_destination(destination)
    sent = replace(Reply.of(reply), to=destination)
    if is_blank(sent) and sent.op == "send":
        raise ResultError("the reply is empty")
    check_size(sent, 0)
    check_content(sent, 0, destination)
    return message_with(sent, destination, key, time.time(), keeps_token=answers_only(destination.platform))
