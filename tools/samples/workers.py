"""The events of SQS and of the scheduler."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from parley.model import (
    Content,
    Context,
    Conversation,
    Destination,
    Markdown,
    Message,
    Outgoing,
    Reply,
    Sender,
    Text,
    message_key,
    reply_id,
)
from parley.model.codec import encode
from playground.platforms.feishu.events import TENANT
from tools.samples import feishu

_REGION, _ACCOUNT_ID = "us-east-1", "000000000000"


def message(now: int, case: str, text: str) -> Message:
    """The message that a callback function makes of a text in the direct chat with the app `sample`."""
    return Message(
        id=f"om_{_hex(case, now)}",
        platform="feishu",
        app="sample",
        kind="message",
        sender=Sender(id=feishu.person()),
        content=Content(text=text),
        timestamp=int(now),
        context=Context(room_id=feishu.room("private"), tenant=TENANT, private=True),
        segments=(Text(text=text),),
    )


def reply(now: int) -> Outgoing:
    """A reply to such a message. The deliverer reads it from the journal; `make events` writes it there."""
    answered = message(now, "deliverer", "/echo **hello**")
    key = message_key(answered)
    return Outgoing(
        id=reply_id(key, 0),
        message_key=key,
        ordinal=0,
        to=Destination.answering(answered),
        reply=Reply(segments=(Markdown(text="**hello** from `sam local invoke`"),)),
        created=now,
    )


def processor(now: int) -> dict[str, Any]:
    """A message in the inbound queue, and the second delivery of the same message."""
    count = message(now, "processor", "/count")
    return {"message": _batch("inbound", count, now), "message_again": _batch("inbound", count, now, receives=2)}


def deliverer(now: int) -> dict[str, Any]:
    """A reply in the outbound queue."""
    return {"reply": _batch("outbound", reply(now), now)}


def sweeper(now: int) -> dict[str, Any]:
    """The event of the schedule."""
    return {
        "tick": {
            "version": "0",
            "id": str(_uuid("tick", now)),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": _ACCOUNT_ID,
            "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": _REGION,
            "resources": [f"arn:aws:scheduler:{_REGION}:{_ACCOUNT_ID}:schedule/default/parley-local-sweeper"],
            "detail": "{}",
        }
    }


def _batch(queue: str, body: Message | Outgoing, now: int, *, receives: int = 1) -> dict[str, Any]:
    text = encode(body).decode()
    group, dedup = (
        (Conversation.of(body).key, message_key(body)) if isinstance(body, Message) else (body.to.key, body.id)
    )
    sent = str(int(now * 1000))
    record = {
        "messageId": str(_uuid(dedup, now)),
        "receiptHandle": _hex("receipt", dedup, receives, now),
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": sent,
            "SequenceNumber": "18870000000000000000",
            "MessageGroupId": group,
            "SenderId": "AROASAMPLE:parley",
            "MessageDeduplicationId": dedup,
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT_ID}:parley-local-{queue}.fifo",
        "awsRegion": _REGION,
    }
    return {"Records": [record]}


def _hex(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:32]


def _uuid(*parts: object) -> uuid.UUID:
    return uuid.UUID(_hex(*parts))
