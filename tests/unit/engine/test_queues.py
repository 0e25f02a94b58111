"""The queues: what they carry comes out as it went in."""

from collections.abc import Callable

import boto3
import pytest

from parley.engine import queues
from parley.model import Message
from parley.model.codec import decode_message

pytestmark = pytest.mark.usefixtures("aws")


def test_characters_that_sqs_refuses_travel_escaped(message: Callable[..., Message]) -> None:
    """SQS takes #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and all above (SendMessage, MessageBody)."""
    said = message("a\ufffe\uffffb\x00é\U0001f600")
    queues.send_messages([said])
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    (found,) = sqs.receive_message(QueueUrl=url).get("Messages", [])
    body = found.get("Body", "")
    assert not [char for char in body if char < " " or char in "\ufffe\uffff"]
    assert decode_message(body) == said
