"""Forgetting a person, on every platform: the real engine fills the table, and then nothing of them is left in it."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from parley.bot import Approve, Ask, Bot, Pairing, Turn
from parley.bot.dialogues import Script
from parley.engine.aws import dynamodb
from parley.journal import forget as forget_module
from parley.journal.forget import Forget, Report
from parley.journal.masking import MASK, Subject
from parley.journal.privacy import kind_of
from parley.journal.rows import row_of
from parley.journal.states import ReplyState
from parley.journal.table import message_pk, reply_pk, text
from parley.model import Mention, Message, Reply, Sender, Text, message_key, person_key
from parley.model.agenda import Agenda, Answer
from parley.testing import PLATFORMS, Chat
from tests.abilities import WRITING_FIRST
from tools.faults.policies import CallSite, Crash, Fault, FaultPlan
from tools.faults.processes import TABLE

VARIANTS = (*PLATFORMS, "wechat passive")
ON_EVERY_PLATFORM = pytest.mark.parametrize("platform", VARIANTS)
SECRET, BOBS = "sesame-of-ann", "recipe-of-bob"
bot = Bot()


@bot.command()
def echo(turn: Turn, said: str) -> str:
    """Say it back, with the person's name, and count in every state"""
    for state in (turn.state, turn.user, turn.shared):
        state["count"] = state.get("count", 0) + 1
    turn.once("look up", lambda _key: said)
    return f"{turn.message.sender.name} said {said} ({turn.state['count']}, {turn.user['count']})"


@bot.command()
def remind(turn: Turn, said: str) -> str:
    """Remind in two weeks"""
    late = turn.message.platform in WRITING_FIRST  # elsewhere a bot answers within the hour
    turn.remind(said, after=timedelta(days=14) if late else timedelta(minutes=50))
    return "planned"


@bot.command()
def plans(turn: Turn) -> str:
    """The plans"""
    return ", ".join(each.text for each in turn.reminders) or "nothing"


@bot.command()
def ask() -> Script:
    """A dialogue"""
    name = yield Ask("Your name?", timeout=timedelta(days=14))
    return f"Hello {name}"


@bot.command()
def deploy(said: str) -> Script:
    """A dialogue that waits for a press"""
    approval = yield Approve(f"Deploy {said}?", timeout=timedelta(days=14))
    return str(approval)


@bot.command()
def release(said: str) -> Script:
    """A dialogue that goes on after a press"""
    yield Approve(f"Release {said}?", timeout=timedelta(days=14))
    place = yield Ask("Where?", choices=("north", "south"), timeout=timedelta(days=14))
    return f"{said} to {place}"


@bot.command()
def point(turn: Turn, person: str) -> list[Reply]:
    """Mention somebody"""
    return [Reply(segments=(Text(text="Look, "), Mention(id=person, name="Ann", bot=False)))]


failing = Bot()


@failing.command()
def pay(turn: Turn, said: str) -> str:
    """Fail after a call outside"""
    turn.once("look", lambda _key: said)
    raise RuntimeError("down")


@failing.command()
def hi() -> str:
    """Answer"""
    return "hi"


def talk(chat: Chat) -> dict[str, str]:
    """Ann and Bob talk, alone and in a room. Returns the ids of the two."""
    chat.say(f"/echo {SECRET}", by="ann")
    ann = chat.received.sender.id
    chat.say(f"/echo {BOBS}", by="bob")
    bob = chat.received.sender.id
    for place in places(chat):
        place.say(f"/echo {SECRET}", by="ann")
        place.say(f"/remind {SECRET}", by="ann")
        place.say(f"/deploy {SECRET}", by="ann")
        place.say("/ask", by="ann")
        place.say(f"/echo {BOBS}", by="bob")
        place.say(f"/remind {BOBS}", by="bob")
        place.say(f"/point {ann}", by="bob")
    return {"ann": ann, "bob": bob}


def places(chat: Chat) -> list[Any]:
    world = chat._world  # pyright: ignore[reportPrivateUsage]
    return [chat, chat.room("team")] if "groups" in world.platform.features else [chat]


def table(chat: Chat) -> dict[str, Any]:
    return chat._world.aws.dynamodb.items  # pyright: ignore[reportPrivateUsage]


def make(platform: str) -> Chat:
    return Chat(bot, platform, config={"names": True} if platform in ("feishu", "wecom") else {})


@contextmanager
def process(chat: Chat, policy: FaultPlan | None = None) -> Iterator[Forget]:
    """A process that forgets persons in the table of `chat`."""
    world = chat._world  # pyright: ignore[reportPrivateUsage]
    before = world.injector.policy
    with world.active():
        world.injector.policy = policy or before
        try:
            yield Forget(dynamodb(), TABLE, world.clock, world.clock.sleep)
        finally:
            world.injector.policy = before


def forget(chat: Any, person: str) -> Report:
    with process(chat) as run:
        return run(chat.received.platform, chat.received.app, person)


def found(chat: Chat, *words: str) -> set[tuple[str, str]]:
    """The rows and attributes that hold one of `words`, in any case, also within a stored response."""
    alone = re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)
    wrong: set[tuple[str, str]] = set()
    for pk, item in table(chat).items():
        for name, value in item.items():
            shown = json.dumps(value, ensure_ascii=False)
            if name == "response":
                shown += base64.b64decode(json.loads(value["S"])["body"]).decode()
            if alone.search(shown):
                wrong.add((pk, name))
    return wrong


def names_of(chat: Chat, person: str) -> list[str]:
    """The names of a person at the platform."""
    found = chat._world.platform.person(person)  # pyright: ignore[reportPrivateUsage]
    return [found.name, found.name_zh]


def shape(chat: Chat) -> dict[str, Any]:
    """The table, without what differs between two runs: times and versions."""
    times = {"ttl", "updated", "version", "lease_until", "attempted_since"}
    return {pk: {name: value for name, value in item.items() if name not in times} for pk, item in table(chat).items()}


@ON_EVERY_PLATFORM
def test_nothing_of_a_forgotten_person_is_left_and_all_of_others_is(platform: str) -> None:
    chat = make(platform)
    ids = talk(chat)
    private = [SECRET, ids["ann"], *filter(None, names_of(chat, "ann"))]
    assert {kind_of(pk) for pk, _ in found(chat, *private)} >= {"in", "out", "conv", "timer"}
    bobs = found(chat, BOBS)
    report = forget(chat, ids["ann"])
    assert report.under_way == report.named == ()
    assert found(chat, *private) == set()
    assert found(chat, BOBS) == bobs
    assert report.counts["in masked"] >= 4
    assert report.counts["out masked"] >= 4
    assert report.counts["user emptied"] == report.counts["conv emptied"] == 1


@ON_EVERY_PLATFORM
def test_a_second_run_finds_nothing(platform: str) -> None:
    chat = make(platform)
    ids = talk(chat)
    forget(chat, ids["ann"])
    before = dict(table(chat))
    assert forget(chat, ids["ann"]) == Report({}, (), ())
    assert table(chat) == before


@ON_EVERY_PLATFORM
def test_a_forgotten_person_can_talk_again_and_others_go_on(platform: str) -> None:
    chat = make(platform)
    ids = talk(chat)
    forget(chat, ids["ann"])
    chat.say("/plans", by="ann")
    assert str(chat.last) == "nothing"
    chat.say("/echo again", by="ann")
    assert str(chat.last).endswith("said again (1, 1)")
    chat.say("/plans", by="bob")
    assert str(chat.last) == BOBS
    for place in places(chat)[1:]:
        place.say("/plans", by="ann")
        assert str(place.last) == BOBS
        place.say("/echo again", by="ann")
        assert str(place.last).endswith("said again (3, 2)"), "the state of the room is the bot's own"
    shown = len(chat.replies)
    chat.advance(days=15)
    reminded = "".join(map(str, chat.replies[shown:]))
    assert SECRET not in reminded
    may_write = platform in WRITING_FIRST and not platform.startswith("wechat")  # WeChat: within two days
    assert BOBS in reminded or not may_write


@ON_EVERY_PLATFORM
def test_a_message_that_comes_again_is_still_known(platform: str) -> None:
    chat, shown = make(platform), 0
    talk(chat)
    chat.say(f"/echo {SECRET}", by="ann")
    message, shown = chat.received, len(chat.replies)
    forget(chat, message.sender.id)
    world = chat._world  # pyright: ignore[reportPrivateUsage]
    with world.active():
        [again] = [each for each in world.platform.deliveries.values() if each.journal_id == message.id]
        world.deliver(world.platform.name, again)
        world.work()
        assert world.processes.current.processor.inbox.open(message).decided == 1
    assert len(chat.replies) == shown
    assert found(chat, SECRET) == set()


def test_a_pairing_ends_and_the_state_of_the_app_stays() -> None:
    admins: set[str] = set()
    paired = Bot(pairing=Pairing(), is_admin=lambda message: message.sender.id in admins)

    @paired.command()
    def note(turn: Turn, said: str) -> str:
        turn.shared["said"] = said
        return "noted"

    chat = Chat(paired, "feishu")
    chat.say("/note", by="bob")
    admins.add(chat.received.sender.id)
    chat.say("/pair", by="bob")
    code = str(chat.last).split()[-1]
    chat.say(f"/pair {code}", by="ann")
    ann = chat.received.sender.id
    chat.say("/note tea", by="ann")
    assert str(chat.last) == "noted"
    assert forget(chat, ann).counts["shared masked"] == 1
    assert found(chat, ann, "ann") == set()
    chat.say("/note coffee", by="ann")
    assert str(chat.last) != "noted"
    [shared] = [item for pk, item in table(chat).items() if kind_of(pk) == "shared"]
    assert json.loads(shared["memory"]["S"])["said"] == "tea"


@ON_EVERY_PLATFORM
def test_a_person_whose_id_is_a_word_of_the_journal_changes_nothing_of_others(platform: str) -> None:
    chat = make(platform)
    talk(chat)
    before = dict(table(chat))
    words = f"{chat.received.platform} user event message action text kind parley.reminder parley.dialogue"
    for word in words.split():
        assert forget(chat, word) == Report({}, (), ()), word
        assert table(chat) == before, word


def test_a_person_whose_id_begins_with_that_of_a_forgotten_one_keeps_everything() -> None:
    chat = make("wecom")
    for said in (f"/echo {BOBS}", f"/remind {BOBS}", "/ask"):
        chat.say(said, by="lin.wang")
    before = dict(table(chat))
    assert forget(chat, "lin") == Report({}, (), ())
    assert table(chat) == before
    chat.say("Wang", by="lin.wang")
    assert str(chat.last) == "Hello Wang"
    chat.advance(days=15)
    assert str(chat.last) == BOBS


@pytest.mark.parametrize("platform", ["feishu", "discord"])
def test_the_dialogue_of_somebody_else_goes_on_without_the_name_of_a_person_who_has_approved(platform: str) -> None:
    chat = make(platform)
    room, person = chat.room("team"), chat._world.platform.person("ann")  # pyright: ignore[reportPrivateUsage]
    person.name = person.name_zh = "user"
    room.say(f"/echo {SECRET}", by="ann")
    ann = room.received.sender.id
    room.say("/release tea", by="bob")
    room.press("Approve", by="ann")
    assert "user" in {answer.by.name for answer in answers(chat) if answer.by is not None}
    assert forget(room, ann).unreadable == ()
    assert {answer.by for answer in answers(chat)} == {Sender(id=MASK, name=MASK)}
    room.press("north", by="bob")
    assert str(room.last) == "tea to north"


def answers(chat: Chat) -> list[Answer]:
    """The answers in the open dialogues of all conversations."""
    agendas = [item["agenda"]["S"] for item in table(chat).values() if "agenda" in item]
    dialogues = [each for agenda in agendas for each in msgspec.json.decode(agenda, type=Agenda).dialogues.values()]
    return [answer for dialogue in dialogues for answer in dialogue.answers]


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [("in", "message"), ("out", "body"), ("out", "receipts"), ("conv", "agenda"), ("timer", "body")],
)
def test_a_row_that_this_version_cannot_read_is_listed_and_left(kind: str, attribute: str) -> None:
    chat = make("feishu")
    ann = talk(chat)["ann"]
    changed = text(json.dumps([{"id": 1, "data": {"unreached": ann}}]))
    pk = [pk for pk, item in table(chat).items() if kind_of(pk) == kind and attribute in item][-1]
    table(chat)[pk] = broken = table(chat)[pk] | {attribute: changed}
    broken.pop("person", None)
    assert forget(chat, ann).unreadable == (pk,)
    assert table(chat)[pk] == broken


# --- while workers work, and when the run dies


class Meanwhile:
    """Runs `action` before the call with the number `at`, once."""

    def __init__(self, at: int, action: Callable[[], object]) -> None:
        self.at, self.action, self.calls, self.has_run = at, action, 0, False

    def decide(self, call: CallSite) -> Fault | None:
        """No fault."""
        del call
        self.calls += 1
        if self.calls == self.at and not self.has_run:
            self.has_run = True
            self.action()
        return None


@ON_EVERY_PLATFORM
def test_a_message_under_way_is_answered_once_wherever_its_sender_is_forgotten(platform: str) -> None:
    for at in count(1):
        chat = make(platform)
        chat.say(f"/echo {SECRET}", by="ann")
        ann, world = chat.received, chat._world  # pyright: ignore[reportPrivateUsage]

        def run(world: Any = world, ann: Message = ann) -> None:
            meanwhile = Forget(dynamodb(), TABLE, world.clock, world.clock.sleep, pause=0, looks=0)
            meanwhile(ann.platform, ann.app, ann.sender.id)

        world.injector.policy = policy = Meanwhile(at, run)
        chat.say(f"/echo {SECRET}", by="ann")
        world.injector.policy = FaultPlan()
        if not policy.has_run:
            assert at > 5
            return
        assert len(chat.replies) == 2, f"forgotten at call {at}"
        forget(chat, ann.sender.id)
        assert found(chat, ann.sender.id, SECRET) == set()


def test_a_message_that_is_not_decided_is_under_way_and_keeps_its_results() -> None:
    chat = make("feishu")
    ids = talk(chat)
    key = message_pk(message_key(chat.received))
    table(chat)[key] |= {"state": text("RECEIVED"), "results": text("{}"), "person": text(person_of(chat, ids["ann"]))}
    table(chat)[key]["updated"] = {"N": "1800000000"}
    before = dict(table(chat)[key])
    assert forget(chat, ids["ann"]).under_way == (key,)
    assert table(chat)[key] == before


def test_a_message_that_has_failed_is_masked_when_its_dead_letter_is_gone() -> None:
    chat = Chat(failing, "feishu", attempts=5)
    with pytest.raises(RuntimeError, match="down"):
        chat.say(f"/pay {SECRET}")
    chat.say("/hi")
    person = chat.received.sender.id
    [(key, _)] = found(chat, SECRET)
    chat.advance(days=14)
    report = forget(chat, person)
    assert (report.under_way, report.failed) == ((key,), (table(chat)[key]["id"]["S"],))
    assert found(chat, SECRET) == {(key, "results")}
    chat.advance(days=2)
    assert forget(chat, person).counts == {"in masked": 1}
    assert found(chat, SECRET) == set()
    assert forget(chat, person) == Report({}, (), ())


def test_a_reply_that_is_being_delivered_is_under_way() -> None:
    chat = make("feishu")
    ids = talk(chat)
    sent = [pk for pk in table(chat) if pk.startswith(reply_pk("")) and "ann" not in pk]
    for pk in sent:
        table(chat)[pk] |= {"state": text(ReplyState.SENDING), "owner": text("somebody"), "lease_until": {"N": "9e9"}}
    report = forget(chat, ids["ann"])
    assert set(report.under_way) < set(sent)
    assert "out masked" not in report.counts


def test_a_reply_that_waits_for_the_persons_next_message_is_ended() -> None:
    chat = make("wechat passive")
    chat.say(f"/echo {SECRET}", by="ann")
    ann = chat.received.sender.id
    [pk] = [pk for pk in table(chat) if pk.startswith(reply_pk(""))]
    deferred = table(chat)[pk] | {"state": text(ReplyState.PENDING)}
    table(chat)[pk] = {name: value for name, value in deferred.items() if name not in ("due_shard", "due_at")}
    assert forget(chat, ann).counts["out masked"] == 1
    row = row_of(table(chat)[pk])
    assert (row.state, row.reason, row.out.reply, row.out.to.user_id) == (ReplyState.FAILED, "", Reply(), "")
    assert found(chat, ann, SECRET) == set()


def test_a_reply_to_somebody_else_that_waits_is_not_ended() -> None:
    chat = make("wechat passive")
    ann = talk(chat)["ann"]
    pk = next(reversed([pk for pk in table(chat) if pk.startswith(reply_pk(""))]))  # the answer to /point
    waits = table(chat)[pk] | {"state": text(ReplyState.PENDING)}
    table(chat)[pk] = {name: value for name, value in waits.items() if name not in ("due_shard", "due_at")}
    assert forget(chat, ann).under_way == (pk,)
    assert row_of(table(chat)[pk]).state is ReplyState.PENDING


def test_an_id_of_wecom_is_the_same_in_any_case() -> None:
    chat = make("wecom")
    ann = talk(chat)["ann"]
    chat.say(f"/echo {SECRET}", by=ann.upper())
    assert ann.lower() != ann != ann.upper()
    private = (ann, SECRET, *filter(None, names_of(chat, "ann")))
    report = forget(chat, ann.lower())
    assert report.counts["user emptied"] == report.counts["name deleted"] == 2
    assert found(chat, *private) == set()
    assert forget(chat, ann) == Report({}, (), ())


@pytest.mark.parametrize("platform", ["feishu", "discord", "wechat"])
def test_an_id_of_another_platform_is_not(platform: str) -> None:
    subject = Subject(platform, "demo", "oAbC")
    assert subject.has_id("oAbC")
    assert not subject.has_id("oabc")


@ON_EVERY_PLATFORM
@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.RESPONSE_LOST, Fault.ERROR])
def test_a_run_that_dies_at_any_call_goes_on(platform: str, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget_module, "PAGE", 9)
    chat = make(platform)
    ann = talk(chat)["ann"]
    world = chat._world  # pyright: ignore[reportPrivateUsage]
    saved = deepcopy(world.aws.dynamodb)
    forget(chat, ann)
    clean = shape(chat)
    for at in count(1):
        world.aws.dynamodb = deepcopy(saved)
        plan = FaultPlan({at: fault}, armed=True)
        try:
            with process(chat, plan) as run:
                run(chat.received.platform, chat.received.app, ann)
        except Crash:
            assert shape(chat) != clean or at == len(plan.calls)
            forget(chat, ann)
        assert shape(chat) == clean, f"{fault} at {plan.calls[-1]}, call {at}"
        if len(plan.calls) < at:
            assert at > 20
            return


def person_of(chat: Chat, person: str) -> str:
    """The key of a person."""
    return person_key(chat.received.platform, chat.received.app, person)


def test_the_fingerprints_of_the_requests_of_a_person_are_deleted() -> None:
    chat = make("http")
    ids = talk(chat)

    def kept() -> list[str]:
        return [row["person"]["S"] for pk, row in table(chat).items() if kind_of(pk) == "posted"]

    anns = person_key("http", chat.received.app, ids["ann"])
    before = kept()
    assert before.count(anns) > 1
    assert forget(chat, ids["ann"]).counts["posted deleted"] == before.count(anns)
    assert kept() == [person for person in before if person != anns] != []
