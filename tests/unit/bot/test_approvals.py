"""Approvals: the first press of somebody who may decides, on every platform, and every other press has its answer."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from parley.bot import Approve, Ask, Bot, Pairing, Quotas, ResultError, Script, Turn
from parley.bot.approvals import WITHDRAWN
from parley.bot.questions import Given
from parley.bot.reminders import Reminders
from parley.bot.rules import addressed, role, rule
from parley.bot.texts import ENGLISH
from parley.model import Action, Card, Context, Destination, Mention, Message, Reply, Sender
from parley.model.agenda import APPROVAL, PRESSED
from parley.platforms import NAMES, is_receiver
from parley.testing import Chat
from tests.abilities import WRITING_FIRST
from tests.factories import make_message

ANYWHERE = pytest.mark.parametrize("platform", WRITING_FIRST)
EDITS = ("discord", "feishu", "http")


def chat_of(message: Message) -> Destination:
    """Where `message` was written, as a bot's author names it."""
    room = message.context.room_id
    return Destination(platform=message.platform, app=message.app, room_id=room, user_id=message.sender.id)


class BrokenError(Exception):
    """The handler fails."""


class Team:
    """Ann asks in her direct chat, and Bob, who may decide, reads the card in his."""

    def __init__(self, platform: str, **approve: Any) -> None:
        self.room: Destination | None = None
        self.ops: set[str] = set()
        self.is_broken = False
        """Whether the handler fails after the outcome."""
        self.chat = Chat(self._bot(approve), platform=platform)
        self.chat.say("/join", by="bob")
        self.chat.expect("joined")
        self.bob, self.room = self.chat.received.sender.id, chat_of(self.chat.received)
        self.ops.add(self.bob)

    def _bot(self, approve: dict[str, Any]) -> Bot:
        bot = Bot(roles=lambda message: {"ops"} if message.sender.id in self.ops else set())

        @bot.command()
        def join() -> str:
            return "joined"

        @bot.command()
        def deploy(turn: Turn, version: str) -> Script:
            options: dict[str, Any] = {"by": role("ops"), "room": self.room, **approve}
            ok = yield Approve(f"Deploy {version}?", key="deploy", **options)
            if self.is_broken:
                raise BrokenError
            turn.state["last"] = version
            if ok:
                yield f"deployed {version}"
            else:
                yield f"{version}: {ok.outcome}"

        @bot.command()
        def suspend(turn: Turn) -> str:
            turn.user["name"], turn.user["suspended"] = "bob", True
            return "suspended"

        @bot.fallback
        def other() -> str:
            return "what?"

        return bot

    def ask(self, version: str = "1.4") -> None:
        """Ann asks. The card is shown to Bob, and another one to her."""
        self.chat.say(f"/deploy {version}")
        cards = [self.chat.expect(contains=f"Deploy {version}?") for _ in range(2)]
        assert sum("waits for an approval" in str(card) for card in cards) == 1

    def shown(self) -> list[tuple[str, str]]:
        """What the bot has shown since the last look: the kind and the text of each."""
        new = [(each.kind, str(each)) for each in self.chat.unread]
        for _ in new:
            self.chat.expect()
        return new


def changed(platform: str) -> list[str]:
    """How the two cards are closed: WeCom takes the buttons away and says the outcome in a message, as WeChat does."""
    return ["edit", "edit"] if platform in EDITS else ["message", "message"]


def kinds(shown: list[tuple[str, str]], text: str) -> list[str]:
    return sorted(kind for kind, said in shown if text in said)


@ANYWHERE
def test_somebody_who_may_approves_in_another_chat(platform: str) -> None:
    team = Team(platform)
    team.ask()
    team.chat.press("Approve", by="bob")
    shown = team.shown()
    assert kinds(shown, "Approved") == changed(platform)
    assert kinds(shown, "deployed 1.4") == ["message"]
    assert len(shown) == (4 if platform == "wecom" else 3)
    team.chat.say("/join")
    assert team.chat.state == {"last": "1.4"}


@ANYWHERE
def test_the_rule_of_the_bot_locks_out_nobody_who_decides(platform: str) -> None:
    """`by` says who decides. Without it, the rule of the bot does."""
    team = Team(platform)
    team.ask()
    bot = team.chat._world.processes.current.processor.bot._bot  # type: ignore[attr-defined]
    bot.when, bot.refusal = rule(lambda message: message.sender.id != team.bob), "Not you."
    team.chat.say("/join", by="bob")
    team.chat.expect("Not you.")
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.4") == ["message"]


@ANYWHERE
def test_an_approval_without_a_rule_is_decided_by_those_for_whom_the_rule_of_the_bot_holds(platform: str) -> None:
    team = Team(platform, by=None)
    team.ask()
    bot = team.chat._world.processes.current.processor.bot._bot  # type: ignore[attr-defined]
    bot.when = rule(lambda message: message.sender.id != team.bob)
    team.chat.press("Approve", by="bob")
    assert not kinds(team.shown(), "deployed 1.4")
    bot.when = rule(lambda message: True)
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.4") == ["message"]


@pytest.mark.parametrize("receivers", ["Lin|BOB", "bob|lin", "party:1", "@all"])
def test_one_of_several_persons_of_wecom_approves(receivers: str) -> None:
    team = Team("wecom", room=Destination(platform="wecom", app="demo", user_id=receivers))
    team.chat.say("/deploy 1.4")
    team.shown()
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.4") == ["message"]


@ANYWHERE
def test_only_a_person_who_gets_the_card_is_where_it_is(platform: str) -> None:
    assert is_receiver(platform, "bob", "bob")
    assert not is_receiver(platform, "bob", "bo")
    assert not is_receiver(platform, "", "bob")
    assert is_receiver(platform, "lin|bob", "Bob") == (platform == "wecom")
    assert not is_receiver(platform, "lin|bob", "ann")
    assert is_receiver(platform, "party:2", "ann") == (platform == "wecom")


@ANYWHERE
def test_a_rejection_goes_on_with_a_false_answer(platform: str) -> None:
    team = Team(platform)
    team.ask()
    team.chat.press("Reject", by="bob")
    shown = team.shown()
    assert kinds(shown, "Rejected") == changed(platform)
    assert kinds(shown, "1.4: rejected") == ["message"]


def test_a_second_press_is_told_that_it_is_decided() -> None:
    """WeChat cannot close a card, so it can be pressed again."""
    team = Team("wechat")
    team.ask()
    team.chat.press("Approve", by="bob")
    team.shown()
    team.chat.press("Reject", by="bob")
    (shown,) = team.shown()
    assert "decided already" in shown[1]


@ANYWHERE
def test_of_two_presses_at_once_the_first_one_decides(platform: str) -> None:
    team = Team(platform)
    team.ask()
    with team.chat.at_once():
        team.chat.press("Reject", by="bob")
        team.chat.press("Approve", by="bob")
    shown = team.shown()
    assert kinds(shown, "1.4: rejected") == ["message"]
    assert kinds(shown, "decided already") == ["message"]
    assert kinds(shown, "deployed 1.4") == []


@ANYWHERE
def test_a_person_who_may_not_decide_is_told_so_and_the_card_stays(platform: str) -> None:
    team = Team(platform)
    team.ops.clear()
    team.ask()
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "cannot decide") == ["message"]
    team.ops.add(team.bob)
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.4") == ["message"]


@ANYWHERE
def test_an_approval_times_out(platform: str) -> None:
    team = Team(platform, timeout=timedelta(hours=2))
    team.ask()
    team.chat.advance(minutes=119)
    assert team.shown() == []
    team.chat.advance(minutes=2)
    shown = team.shown()
    assert kinds(shown, "Nobody has decided in time") == changed(platform)
    assert kinds(shown, "1.4: timed out") == ["message"]
    team.chat.advance(hours=30)
    assert team.shown() == []


@ANYWHERE
def test_the_person_who_asks_withdraws_it(platform: str) -> None:
    team = Team(platform)
    team.ask()
    team.chat.press("Withdraw")
    shown = team.shown()
    assert kinds(shown, "Withdrawn") == changed(platform)
    assert kinds(shown, "1.4: withdrawn") == ["message"]


@ANYWHERE
def test_the_person_goes_on_and_asks_for_more_meanwhile(platform: str) -> None:
    team = Team(platform)
    team.ask("1.4")
    if platform != "discord":  # it delivers no plain text
        team.chat.say("hello")
        team.chat.expect("what?")
    team.ask("1.5")
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.5") == ["message"]


@ANYWHERE
def test_an_approval_that_nobody_can_decide_is_an_error_that_says_what_to_write(platform: str) -> None:
    """In a direct chat nobody but the person who asks sees the card."""
    team = Team(platform)
    team.room = None
    team.chat.say("/deploy 1.4", by="bob")
    team.chat.press("Approve", by="bob")
    assert "deployed 1.4" in str(team.chat.replies)
    with pytest.raises(ResultError, match=r"nobody can decide: .* write Approve\(\.\.\., room=Destination\("):
        team.chat.say("/deploy 1.4", by="ann")


@pytest.mark.parametrize("platform", ["feishu", "discord", "wecom_bot"])
def test_in_a_room_somebody_else_decides_without_another_room(platform: str) -> None:
    team = Team(platform)
    team.room = None
    room = team.chat.room("ops")
    room.say("/deploy 1.4", by="ann")
    room.press("Approve", by="bob")
    assert "deployed 1.4" in str(room.replies)


@pytest.mark.parametrize("outcome", ["Approved", "Rejected", "Withdrawn"])
def test_a_smart_bot_closes_the_card_in_the_answer_to_the_press_and_goes_on(outcome: str) -> None:
    bot = Bot()

    @bot.command()
    def deploy(turn: Turn) -> Script:
        turn.user["last"] = (yield Approve("Deploy?")).outcome
        yield f"it is {turn.user['last']}"

    room = Chat(bot, "wecom_bot").room("ops")
    room.say("/deploy", by="ann")
    room.press({"Approved": "Approve", "Rejected": "Reject", "Withdrawn": "Withdraw"}[outcome], by="ann")
    assert [(each.kind, outcome in str(each)) for each in room.replies[1:]] == [("edit", True), ("message", False)]
    room.say("/deploy", by="ann")
    assert f"it is {outcome.lower()}" in str(room.replies)
    assert room.user == {"last": outcome.lower()}


def test_an_approval_is_decided_in_passive_replies() -> None:
    bot = Bot()

    @bot.command()
    def deploy() -> Script:
        ok = yield Approve("Deploy?")
        yield f"it is {ok.outcome}"

    chat = Chat(bot, "wechat passive")
    chat.say("/deploy")
    chat.press("Reject")
    chat.say("/deploy")
    assert "it is rejected" in str(chat.replies)


@ANYWHERE
def test_a_refused_press_changes_neither_the_cards_nor_the_time(platform: str) -> None:
    team = Team(platform, timeout=timedelta(hours=2))
    team.ops.clear()
    team.ask()
    team.chat.advance(minutes=90)
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "cannot decide") == ["message"]
    team.chat.advance(minutes=31)
    shown = team.shown()
    assert kinds(shown, "1.4: timed out") == ["message"]
    assert len(kinds(shown, "Nobody has decided in time")) == 2
    if platform in EDITS:
        assert kinds(shown, "Nobody has decided in time") == ["edit", "edit"]


@ANYWHERE
def test_the_rule_of_an_approval_reads_the_state_of_the_person_who_presses(platform: str) -> None:
    seen: list[Any] = []

    @rule
    def not_suspended(turn: Turn) -> bool:
        seen.append((turn.user.get("name"), turn.now > 0))
        return not turn.user.get("suspended")

    team = Team(platform, by=not_suspended)
    team.ask()
    team.chat.say("/suspend", by="bob")
    team.shown()
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "cannot decide") == ["message"]
    assert seen == [("bob", True)]


def test_a_rule_for_the_whole_bot_does_not_stop_a_press() -> None:
    bot = Bot(when=addressed)

    @bot.command()
    def deploy() -> Script:
        ok = yield Approve("Deploy?")
        yield f"it is {ok.outcome}"

    room = Chat(bot, "feishu").room("team")
    room.say("/deploy", by="ann")
    room.press("Approve", by="bob")
    assert "it is approved" in str(room.replies)


def test_a_person_has_ten_open_approvals_at_most() -> None:
    team = Team("feishu")
    for number in range(10):
        team.ask(str(number))
    team.chat.say("/deploy 11")
    team.chat.expect(contains="Too many of your requests")
    team.chat.expect_nothing()


def test_a_card_that_cannot_be_delivered_keeps_no_reply_of_the_conversation_back() -> None:
    """The edit of the card in the other room waits behind that card, and not before the replies here."""
    approve = Approve("Deploy?", room=Destination(platform="feishu", app="a", room_id="oc_1"))
    edits = approve.closed(Given(number=3), ("reply:1", "reply:2"), make_message(), ENGLISH)
    assert [edit.to for edit in edits] == [approve.room, None]


def test_the_case_of_a_persons_id_does_not_count_on_wecom() -> None:
    team = Team("wecom")
    assert team.room is not None
    team.room = replace(team.room, user_id=team.room.user_id.swapcase())
    team.ask()
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.4") == ["message"]


@ANYWHERE
def test_a_withdrawal_by_the_id_in_another_case_counts_on_wecom_only(platform: str) -> None:
    asker = make_message(platform=platform, sender=Sender(id="LinDan"))
    press = make_message(platform=platform, sender=Sender(id="lindan"))
    given = Given(number=WITHDRAWN, press=press)
    refusal = Approve("Deploy?").refusal(given, asker, lambda _rule, _message: True, ENGLISH)
    assert bool(refusal) == (platform != "wecom")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Approve("Go?", room=cast("Any", "oc_1")), r"room='oc_1': write room=Destination\("),
        (lambda: Approve("Go?", timeout=cast("Any", 60)), r"timeout=60: write timeout=timedelta\(minutes=10\)"),
        (lambda: Ask("Go?", timeout=cast("Any", 60)), r"timeout=60: write timeout=timedelta\(minutes=10\)"),
    ],
)
def test_a_wrong_place_or_time_says_what_to_write(wrong: Callable[[], object], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        wrong()


@pytest.mark.parametrize(
    ("room", "says"),
    [
        ({"platform": "feishuu"}, f"the platform 'feishuu'; there are {', '.join(NAMES)}"),
        ({"app": ""}, "names no app"),
        ({"room_id": ""}, "has no place: set room_id"),
        ({"webhook": "ops"}, "delivers no presses"),
    ],
)
def test_a_room_to_which_nothing_can_be_sent_is_an_error_where_it_is_written(room: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Approve("Go?", room=Destination(**{"platform": "feishu", "app": "main", "room_id": "oc_1", **room}))


@ANYWHERE
def test_the_text_of_a_long_approval_is_said_once(platform: str) -> None:
    """Where a closed card is a new message, the beginning of the question names it, with who and when."""
    bot, question = Bot(), "Deploy 1.4 to all regions?\n" + "A line of the plan.\n" * 20 + "The last line."

    @bot.command()
    def deploy() -> Script:
        yield Approve(question)

    chat = Chat(bot, platform)
    chat.say("/deploy")
    chat.press("Approve")
    replies = [each for each in chat.replies if "Approved" in str(each)]
    assert len(replies) == 1
    assert ("The last line." in str(replies[0])) == (platform in EDITS)
    assert "Deploy 1.4 to all regions?" in str(replies[0])
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", str(replies[0]))


@pytest.mark.parametrize("number", ["3", "x", "", "-1", "٠", "9" * 5000])
def test_a_forged_number_decides_and_answers_nothing(number: str) -> None:
    bot = Bot()

    @bot.command()
    def deploy() -> Script:
        return f"{(yield Approve('Deploy?')).outcome}"

    asked = Turn(make_message("m1", "/deploy"), now=1.0)
    (card,) = bot.handle(asked)
    assert isinstance(card.segments[0], Card)
    place = card.segments[0].buttons[0].value.rpartition(".")[0]
    press = make_message("m2", kind="action", action=Action(id=APPROVAL, value=f"{place}.{number}", message_id="c1"))
    raw: Any = msgspec.to_builtins(press)
    forged = Turn(make_message("m3", kind="event", event=PRESSED, raw=raw), now=2.0)
    forged.plans = Reminders(forged.message, 2.0, asked.plans.agenda)
    assert bot.handle(forged) == []
    assert forged.plans.agenda == asked.plans.agenda


class Gate:
    """Ann, whom the bot knows, asks; Bob, a stranger, has the card in his direct chat."""

    def __init__(self, platform: str, *, named: bool, **bot: Any) -> None:
        known, decides = set[str](), set[str]()
        self.bot = Bot(is_admin=lambda message: message.sender.id in known, **bot)
        place: list[Destination] = []

        @self.bot.command()
        def deploy(_turn: Turn) -> Script:
            by = rule(lambda message: message.sender.id in decides) if named else None
            ok = yield Approve("Deploy?", by=by, room=place[0])
            yield f"it is {ok.outcome}"

        @self.bot.command()
        def hello() -> str:
            return "hello"

        self.chat = Chat(self.bot, platform=platform)
        self.chat.say("/hello", by="bob")
        decides.add(self.chat.received.sender.id)
        place.append(chat_of(self.chat.received))
        self.chat.say("/hello", by="ann")
        known.add(self.chat.received.sender.id)

    def decided(self) -> bool:
        self.chat.say("/deploy", by="ann")
        self.chat.press("Approve", by="bob")
        return any("it is approved" in each.text for each in self.chat.replies)


@ANYWHERE
def test_a_stranger_whom_an_approval_names_decides_without_a_pairing(platform: str) -> None:
    gate = Gate(platform, named=True, pairing=Pairing())
    assert gate.decided()
    gate.chat.say("/hello", by="bob")
    assert "hello" not in [each.text for each in gate.chat.replies[-1:]]


@ANYWHERE
def test_an_approval_that_names_nobody_is_not_decided_by_a_stranger(platform: str) -> None:
    gate = Gate(platform, named=False, pairing=Pairing())
    assert not gate.decided()
    assert any(ENGLISH.not_yours in str(each) for each in gate.chat.replies)


@ANYWHERE
@pytest.mark.parametrize("named", [True, False])
def test_somebody_who_has_used_up_a_quota_decides(platform: str, named: bool) -> None:
    gate = Gate(platform, named=named, quotas=Quotas(person_a_day=2))
    gate.chat.say("/hello", by="bob")
    gate.chat.say("/hello", by="bob")
    assert "hello" not in gate.chat.replies[-1].text
    assert gate.decided()


def test_presses_under_approvals_count_for_a_quota() -> None:
    gate = Gate("feishu", named=True, quotas=Quotas(person_a_day=2))
    assert gate.decided()
    gate.chat.say("/hello", by="bob")
    assert gate.chat.replies[-1].text != "hello"


def named(reply: Reply) -> tuple[Mention, ...]:
    """The mentions of the card in `reply`."""
    card = reply.segments[0]
    assert isinstance(card, Card)
    return card.mentions


BOB = Sender(id="80351110224678912", name="Bob\n Baker")


@pytest.mark.parametrize(
    ("person", "place", "expected"),
    [
        (BOB, {}, Mention(id=BOB.id, name=BOB.name)),
        (BOB, {"platform": "feishu"}, Mention(id="", name="Bob Baker")),
        (BOB, {"app": "other"}, Mention(id="", name="Bob Baker")),
        (BOB, {"context": Context(room_id="r", tenant="other")}, Mention(id="", name="Bob Baker")),
        (Sender(id="all"), {}, Mention(id="", name="all")),
        (Sender(id="all"), {"platform": "feishu"}, Mention(id="", name="all")),
    ],
)
def test_an_id_is_mentioned_only_where_it_is_that_persons(
    person: Sender, place: dict[str, Any], expected: Mention
) -> None:
    """In a room of another platform, app or company the same id is nobody's, or another person's, or everyone's."""
    there = Context(room_id="ops", tenant="corp")
    pressed = Action(id=APPROVAL, value="d.0", message_id="c1")
    press = make_message(platform="discord", sender=person, context=there, kind="action", action=pressed)
    asker = replace(make_message(platform="discord", sender=person, context=there), **place)
    room = Destination.answering(press)
    given = Given(place="d", number=0, press=press, by=person)
    _pressed, other = Approve("Deploy?", room=room).closed(given, ("reply:1", "reply:2"), asker, ENGLISH)
    assert named(other) == (expected,)
    asked, _withdraw = Approve("Deploy?", room=Destination.answering(asker)).replies("d", press, ENGLISH)
    assert named(asked) == (expected,)


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("empty", ["", " ", "\u3164", "\u202e\n"])
def test_a_person_without_a_name_is_named_by_an_id_that_people_know(platform: str, empty: str) -> None:
    sender = Sender(id="LinDan", name=empty)
    press = make_message(platform=platform, sender=sender, action=Action(id=APPROVAL, message_id="c1"))
    given = Given(number=0, press=press, by=press.sender)
    shown = Approve("Deploy?").closed(given, ("a",), press, ENGLISH)
    if platform in WRITING_FIRST:
        shown += Approve("Deploy?", room=chat_of(press)).replies("d", press, ENGLISH)[:1]
    name = "LinDan" if platform in {"wecom", "wecom_bot"} else ""
    for reply in shown:
        assert named(reply) == (Mention(id="LinDan", name=name),)


def test_the_closed_message_of_wecom_names_the_person_by_the_id() -> None:
    team = Team("wecom")
    team.ask()
    team.chat.press("Approve", by="bob")
    closed = [text for _, text in team.shown() if "Approved" in text and "UTC" in text]
    assert closed
    assert all(f"\n@{team.bob}\n" in text and "\n\n" not in text for text in closed)
