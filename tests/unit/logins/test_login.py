"""A person logs in from a card, and the bot acts in their name."""

from datetime import timedelta

import pytest

from parley.adapter.logins import Identity
from parley.bot import Ask, Bot, Login, LoginNeededError, Script, Turn, UserApiError
from parley.engine.aws import dynamodb
from parley.engine.oauth import _is_asked
from parley.journal.forget import Forget
from parley.model import Context, Sender
from parley.model.agenda import Timer
from parley.testing import Chat
from tests.factories import make_message
from tools.faults.processes import TABLE
from tools.faults.targets import APP

CALENDAR = "calendar:calendar:readonly"
EVENTS = "/open-apis/calendar/v4/calendars/primary/events"


def bot() -> Bot:
    made = Bot()

    @made.command()
    def calendar(turn: Turn) -> Script:
        login = yield Login(CALENDAR)
        if not login:
            return f"No calendar: {login.outcome}."
        found = turn.as_user().get(EVENTS)
        return ", ".join(each["summary"] for each in found["data"]["items"])

    @made.command()
    def direct(turn: Turn) -> str:
        return str(len(turn.as_user().get(EVENTS)["data"]["items"]))

    @made.command()
    def logout(turn: Turn) -> str:
        return "Out." if turn.logout() else "You were not in."

    @made.command()
    def plan(turn: Turn) -> Script:
        name = yield Ask("Which day?")
        login = yield Login(CALENDAR, timeout=timedelta(minutes=10))
        sure = yield Ask(f"{name}: sure?")
        return f"{name} {login.outcome} {sure}"

    return made


def test_a_person_logs_in_and_the_handler_goes_on() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    chat.expect(contains="Log in")
    assert "You are logged in" in chat.log_in()
    assert chat.expect(contains="Logged in").kind == "edit"
    chat.expect(contains="Planning")
    chat.expect_nothing()


def test_who_has_logged_in_is_not_asked_again() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    chat.log_in()
    chat.say("/calendar")
    assert "Planning" in chat.last.text
    chat.say("/direct")
    assert chat.last.text == "2"


def test_a_person_refuses() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    assert "You have refused" in chat.log_in(agreed=False)
    chat.expect(contains="Log in")
    chat.expect_nothing()
    chat.press("暂不登录")
    chat.expect(contains="Withdrawn")
    chat.expect("No calendar: withdrawn.")


def test_a_person_does_not_want_to() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    chat.press("暂不登录")
    chat.expect(contains="Log in")
    chat.expect(contains="Withdrawn")
    chat.expect("No calendar: withdrawn.")
    assert "no longer valid" in chat.log_in()


def test_the_time_of_a_login_is_over() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    chat.advance(minutes=31)
    chat.expect(contains="Log in")
    chat.expect(contains="Nobody has logged in in time")
    chat.expect("No calendar: timed out.")
    assert "no longer valid" in chat.log_in()


def test_another_person_who_opens_the_link_gets_nothing_and_the_question_stays() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    assert "for somebody else" in chat.log_in(by="bob")
    chat.expect(contains="Log in")
    chat.expect_nothing()
    assert "You are logged in" in chat.log_in()
    chat.expect(contains="Logged in")
    chat.expect(contains="Planning")


def test_a_login_among_other_questions_goes_the_same_way_each_time() -> None:
    chat = Chat(bot())
    chat.say("/plan")
    chat.say("Monday")
    chat.log_in()
    chat.say("yes")
    assert chat.last.text == "Monday done yes"
    chat.say("/plan")
    chat.say("Tuesday")
    chat.say("/logout")
    chat.say("yes")
    assert chat.last.text == "Tuesday done yes"


def test_without_a_login_the_person_reads_what_to_do() -> None:
    chat = Chat(bot())
    chat.say("/direct")
    assert "log in" in chat.last.text


def test_a_handler_can_catch_it_and_the_error_says_what_to_write() -> None:
    made = Bot()

    @made.command()
    def direct(turn: Turn) -> str:
        try:
            turn.as_user().get(EVENTS)
        except LoginNeededError as error:
            return str(error)
        return ""

    chat = Chat(made)
    chat.say("/direct")
    assert 'write `login = yield Login("...")` before `turn.as_user()`' in chat.last.text


def test_a_logout_deletes_the_tokens() -> None:
    chat = Chat(bot())
    chat.say("/logout")
    assert chat.last.text == "You were not in."
    chat.say("/calendar")
    chat.log_in()
    chat.say("/logout")
    assert chat.last.text == "Out."
    chat.say("/direct")
    assert "log in" in chat.last.text


def test_a_token_is_refreshed_before_it_ends_and_a_login_ends_after_a_week_without_use() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    chat.log_in()
    for _ in range(3):
        chat.advance(hours=20)
        chat.say("/direct")
        assert chat.last.text == "2"
    chat.advance(days=8)
    chat.say("/direct")
    assert "log in" in chat.last.text


def test_more_scopes_need_another_login_which_keeps_the_earlier_ones() -> None:
    made = Bot()

    @made.command()
    def ask(turn: Turn, scopes: str) -> Script:
        login = yield Login(scopes.replace("+", " "))
        return f"{login.outcome} {len(turn.as_user().get(EVENTS)['data']['items'])}"

    chat = Chat(made)
    chat.say(f"/ask {CALENDAR}")
    chat.log_in()
    assert chat.last.text == "done 2"
    chat.say("/ask docx:document:readonly")
    chat.log_in()
    assert chat.last.text == "done 2"
    chat.say(f"/ask {CALENDAR}+docx:document:readonly")
    assert chat.last.text == "done 2"


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "open-apis", "/a b", "/a\nb", "/a\\b", "/a#b", "@evil.example/"]
)
def test_the_token_goes_to_the_platform_only(path: str) -> None:
    made = Bot()

    @made.command()
    def direct(turn: Turn) -> str:
        with pytest.raises(ValueError, match="begins with one slash"):
            turn.as_user().get(path)
        return "refused"

    chat = Chat(made)
    chat.say("/direct")
    assert chat.last.text == "refused"


def test_what_the_platform_refuses_is_an_error_with_its_code() -> None:
    made = bot()

    @made.command()
    def wrong(turn: Turn) -> str:
        with pytest.raises(UserApiError) as error:
            turn.as_user().get(EVENTS.replace("primary", "other"))
        return f"{error.value.status} {error.value.code}"

    chat = Chat(made)
    chat.say("/calendar")
    chat.log_in()
    chat.say("/wrong")
    assert chat.last.text == "400 191001"


def test_a_platform_without_logins_is_named() -> None:
    chat = Chat(bot(), "wechat")
    with pytest.raises(Exception, match=r"wechat/.* has no logins"):
        chat.say("/calendar")


def test_who_is_forgotten_has_no_tokens() -> None:
    chat = Chat(bot())
    chat.say("/calendar")
    chat.log_in()
    world = chat._world
    with world.active():
        grants = [key for key in world.aws.dynamodb.items if str(key).startswith("grant#")]
        assert len(grants) == 1
        report = Forget(dynamodb(), TABLE, world.clock, lambda _: None)("feishu", APP, chat.received.sender.id)
        assert report.counts["grant deleted"] == 1
        assert not [key for key in world.aws.dynamodb.items if str(key).startswith("grant#")]


def test_tokens_in_the_row_of_another_person_are_not_used() -> None:
    chat = Chat(bot())
    for by in ("ann", "bob"):
        chat.say("/calendar", by=by)
        chat.log_in(by=by)
    rows = chat._world.aws.dynamodb.items
    one, other = (key for key in rows if str(key).startswith("grant#"))
    rows[one]["value"] = rows[other]["value"]
    said = []
    for by in ("ann", "bob"):
        chat.say("/direct", by=by)
        said.append(chat.last.text)
    assert sorted("log in" in text for text in said) == [False, True]


@pytest.mark.parametrize(("tenant", "is_asked"), [("", True), ("t1", True), ("t2", False)])
def test_a_person_of_another_organisation_is_another_person(tenant: str, is_asked: bool) -> None:
    asked = make_message(platform="feishu", sender=Sender(id="ou_1"), context=Context(tenant="t1"))
    timer = Timer(message=asked, at=1.0)
    assert _is_asked(Identity("ou_1", tenant), timer) is is_asked
    assert not _is_asked(Identity("ou_2", "t1"), timer)
    nobody = Timer(message=make_message(platform="feishu", sender=Sender(id="")), at=1.0)
    assert not _is_asked(Identity("", ""), nobody)
