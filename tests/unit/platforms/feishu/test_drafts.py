"""An answer that grows on Feishu: the calls of its card, from the first text to the final one."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from parley.adapter import NOTHING, Answer, Call, Outcome, Permanent, Sent, Transient, Unknown
from parley.adapter.fallback import fallback
from parley.errors import RetryAfter
from parley.model import AnySegment, File, Image, Markdown, Outgoing, Reply, Text
from parley.platforms.feishu.outbound import deliver, grow_draft, open_draft, outcome, renew_draft
from tests.conformance.feishu import make_app
from tests.unit.platforms.feishu.test_outbound import NOW, out

APP = make_app()
CARD, MESSAGE = "7355372766134157313", "om_1"


def calls_of(steps: Any, *receipts: Sent) -> list[Call]:
    """The calls of `steps`, each with the next receipt, and then with an empty one."""
    found: list[Call] = []
    given = iter(receipts)
    try:
        call = next(steps)
        while True:
            found.append(call)
            call = steps.send(next(given, Sent()))
    except StopIteration:
        return found


def text(*segments: AnySegment, draft: tuple[str, ...] = (), **more: Any) -> Outgoing:
    return replace(out(*segments, room_id="oc_1"), draft=draft, **more)


def opened(beginning: Outgoing) -> list[Call]:
    return calls_of(open_draft(beginning, APP, NOW), Sent(CARD), Sent(MESSAGE))


def sequence(call: Call) -> int:
    return call.json["sequence"]


def test_a_card_is_created_and_sent() -> None:
    created, sent = opened(text(Markdown(text="**Hel")))
    card = json.loads(created.json["data"])
    assert created.url.endswith("/open-apis/cardkit/v1/cards")
    assert card["config"] == {"streaming_mode": True, "update_multi": True}
    assert card["body"]["elements"][0]["content"]
    assert json.loads(sent.json["content"]) == {"type": "card", "data": {"card_id": CARD}}
    assert sent.json["receive_id"] == "oc_1"


def test_what_begins_with_no_text_does_not_grow() -> None:
    assert opened(text(Image(key="img_1"))) == []


def test_the_numbers_of_texts_rise_with_the_time_and_stay_below_that_of_the_final_one() -> None:
    growing = text(Text(text="Hello"), draft=(CARD, MESSAGE))
    numbers = [sequence(grow_draft(growing, APP, NOW + seconds)) for seconds in (-1, 0, 0.5, 86_400 * 365)]
    assert numbers[1] < sequence(renew_draft(growing, APP, NOW + 0.5)) < numbers[2]
    final = calls_of(deliver(growing, APP, NOW))
    numbers += map(sequence, final)
    assert numbers[0] == numbers[1] >= 2
    assert numbers[1:] == sorted(set(numbers))
    assert numbers[-1] < 2**31


def test_the_final_text_replaces_the_card_and_closes_it() -> None:
    update, close = calls_of(deliver(text(Text(text="Hello"), draft=(CARD, MESSAGE)), APP, NOW))
    card = json.loads(update.json["card"]["data"])
    assert (update.method, update.url.rpartition("/")[2]) == ("PUT", CARD)
    assert card["config"]["streaming_mode"] is False
    assert card["body"]["elements"][0]["content"] == "Hello"
    assert json.loads(close.json["settings"]) == {"config": {"streaming_mode": False}}


def test_a_card_that_may_not_have_been_sent_is_sent_with_the_key_of_the_first_time() -> None:
    _, first = opened(text(Text(text="Hel")))
    update, sent, close = calls_of(deliver(text(Text(text="Hello"), draft=(CARD,)), APP, NOW))
    assert (update.name, close.name) == ("card_update", "card_close")
    assert sent.json["uuid"] == first.json["uuid"]


def test_further_messages_follow() -> None:
    names = [
        call.name for call in calls_of(deliver(text(Text(text="Hi"), File(key="f"), draft=(CARD, MESSAGE)), APP, NOW))
    ]
    assert names == ["card_update", "card_close", "send"]


def test_a_reply_that_begins_with_a_file_removes_the_card() -> None:
    removed, sent = calls_of(deliver(text(File(key="f"), draft=(CARD, MESSAGE)), APP, NOW))
    assert (removed.method, removed.url.rpartition("/")[2]) == ("DELETE", MESSAGE)
    assert sent.json["msg_type"] == "file"


def test_a_card_that_is_refused_is_removed_and_the_reply_is_a_new_message() -> None:
    refused = text(Text(text="Hello"), draft=(CARD, MESSAGE))
    new = fallback(refused, "target")
    assert new is not None
    removed, sent = calls_of(deliver(new, APP, NOW))
    assert removed.method == "DELETE"
    assert json.loads(sent.json["content"]) == {"text": "Hello"}
    assert fallback(new, "target") is None


def test_the_rest_of_a_reply_replaces_nothing() -> None:
    rest = text(Text(text="more"), draft=(CARD, MESSAGE), dropped=("sent",))
    assert [call.name for call in calls_of(deliver(rest, APP, NOW))] == ["send"]


def test_no_reply_removes_the_card() -> None:
    recall = replace(out(room_id="oc_1"), reply=Reply(op="recall"), draft=(CARD, MESSAGE))
    (removed,) = calls_of(deliver(recall, APP, NOW))
    assert removed.url.endswith(f"/messages/{MESSAGE}")
    _, removed = calls_of(deliver(replace(recall, draft=(CARD,)), APP, NOW), Sent("om_2"))
    assert removed.url.endswith("/messages/om_2")


def answered(name: str, code: int, status: int = 400) -> Outcome:
    body = json.dumps({"code": code, "msg": "why", "data": {"card_id": CARD}}).encode()
    return outcome(Call(name=name, method="PUT", url="u"), Answer(status, body))


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("card_create", 0, Sent(CARD)),
        ("card_create", 200220, Permanent("200220 why")),
        ("card_text", 300317, Permanent("300317 why")),
        ("card_text", 99991400, RetryAfter(1, "99991400 why")),
        ("card_update", 300317, Sent()),
        ("card_update", 200770, Sent()),
        ("card_update", 200810, Transient("200810 why")),
        ("card_update", 300120, Unknown("300120 why")),
        ("card_update", 200750, Permanent("200750 why", part="target")),
        ("card_update", 230099, Permanent("230099 why", part="target")),
        ("card_close", 300309, Sent(data=NOTHING)),
        ("card_close", 300317, Sent(data=NOTHING)),
        ("discard", 230026, Sent(data=NOTHING)),
    ],
)
def test_the_outcomes_of_its_calls(name: str, code: int, expected: Outcome) -> None:
    assert answered(name, code) == expected
