"""The state and the deferred replies of a conversation, read from the table."""

import json
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive.deferred import DeferredReplies
from parley.model import Context, Sender
from playground.conversation import conversation_of
from playground.platforms.model import NewMessage
from playground.stack import Stack
from playground.world import World
from tests.factories import decide, make_message, make_reply
from tests.unit.playground.serving import APP

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "stack.json").write_text(json.dumps({"ready": True, "table": "parley"}))
    monkeypatch.setattr(Stack, "client", lambda _stack, service: boto3.client(service))
    world = World(Stack(tmp_path / "stack.json"))
    world.platforms["feishu"].add_app("demo", APP)
    return world


def test_a_conversation_without_a_decision_is_not_known(world: World) -> None:
    feishu = world.platforms["feishu"]
    room = feishu.send_message("demo", "", "lin", NewMessage(text="hi")).room
    assert conversation_of(world, feishu, "demo", room) == {"key": "", "memory": None, "version": 0, "deferred": []}


def test_the_state_and_the_deferred_replies_of_a_conversation(world: World) -> None:
    feishu = world.platforms["feishu"]
    first = feishu.send_message("demo", "", "lin", NewMessage(text="hi"))
    feishu.send_message("demo", "", "lin", NewMessage(text="not decided yet"))
    client: Any = boto3.client("dynamodb")
    context = Context(room_id=first.room, tenant=feishu.tenant("demo"))
    message = make_message(first.id, sender=Sender(id="ou_lin"), context=context)
    inbox, out = Inbox(client, "parley", 60), make_reply(message, "later", created=NOW)
    decide(inbox, message, inbox.open(message), {"count": 2}, [out], NOW)
    Outbox(client, "parley", lease=10).take(out.id, "worker", NOW)
    DeferredReplies(client, "parley", 60).defer(out, "worker", "45015 out of time", NOW)

    found = conversation_of(world, feishu, "demo", first.room)
    assert (found["memory"], found["version"]) == ({"count": 2}, 1)
    (deferred,) = found["deferred"]
    assert (deferred["text"], deferred["state"], deferred["reason"]) == ("later", "PENDING", "45015 out of time")
    assert msgspec.json.encode(found)
