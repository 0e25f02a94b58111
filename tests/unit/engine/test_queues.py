"""The queues: a message is received as it was sent."""

from collections.abc import Callable

import boto3
import pytest

from parley.engine import queues
from parley.model import Destination, Message, Outgoing, Reply
from parley.model.codec import decode_message

pytestmark = pytest.mark.usefixtures("aws")


def test_characters_that_sqs_refuses_are_escaped(message: Callable[..., Message]) -> None:
    """SQS takes #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and all above (SendMessage, MessageBody)."""
    sent = message("a\ufffe\uffffb\x00é\U0001f600")
    queues.send_messages([sent])
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    (found,) = sqs.receive_message(QueueUrl=url).get("Messages", [])
    body = found.get("Body", "")
    assert not [char for char in body if char < " " or char in "\ufffe\uffff"]
    assert decode_message(body) == sent


def test_a_swept_reply_is_recognised_by_its_record() -> None:
    out = Outgoing(
        id="0", message_key="k", ordinal=0, to=Destination(platform="p", app="a"), reply=Reply.of("hi"), created=0
    )
    queues.send_replies([out])
    queues.send_swept(out, 12.5)
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="outbound.fifo")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])
    assert [queues.is_swept({"attributes": message.get("Attributes", {})}) for message in found] == [False, True]
