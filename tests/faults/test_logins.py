"""Every call of a login, and of a refresh, fails once in every way, or its process dies there. Nobody is locked out."""

from contextlib import suppress

import pytest

from parley.testing import Chat
from parley.testing.browser import Browser
from parley.testing.filling import PERSON
from parley.testing.world import World, _stage
from tests.unit.logins.bots import made_bot
from tools.faults.injector import Execution
from tools.faults.policies import Crash, Fault, FaultPlan
from tools.faults.targets.feishu import _HOST

NEEDED = "start again, and log in"
FAULTS = [each for each in Fault if each not in (Fault.STALL, Fault.TOKEN_EXPIRED, Fault.RATE_LIMITED)]


def browse(world: World) -> int:
    """Open the last login, and the status of the last page; 0 if the process of the function has died."""
    oauth = world.processes.current.oauth
    browser = Browser(lambda event: oauth(event, None), world.platform, _HOST)
    with world.injector.executing(Execution("oauth")):
        try:
            return browser.log_in(world.bot.login, PERSON).status
        except Crash:
            world.processes.restart()
            return 0


def settle(world: World) -> None:
    """Let all workers do their work, also after deaths and errors."""
    for _ in range(6):
        try:
            world.pass_time(60)
        except Exception:  # noqa: BLE001  # the exception of the bot: the message comes again
            continue


def ends(chat: Chat) -> list[str]:
    return [each.text for each in chat.replies if each.text.startswith("End") or NEEDED in each.text]


def logged_in() -> Chat:
    chat = Chat(made_bot(), attempts=5)
    chat.say("/calendar")
    return chat


def calls_of(chat: Chat) -> int:
    world = chat._world
    world.injector.policy = plan = FaultPlan(armed=True)
    with world.active(), _stage(world._stage):
        assert browse(world) == 200
        settle(world)
    assert ends(chat) == ["End: 2"]
    return len(plan.calls)


CALLS = calls_of(logged_in())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_login_that_fails_at_any_call_can_be_made_again_and_ends_once(fault: Fault) -> None:
    for number in range(1, CALLS + 1):
        chat = logged_in()
        world = chat._world
        world.injector.policy = plan = FaultPlan({number: fault}, armed=True)
        with world.active(), _stage(world._stage):
            pages = [browse(world)]
            while pages[-1] not in (200, 410):
                pages.append(browse(world))
            settle(world)
            if not ends(chat):  # the page has said that the link is over, or that the login did not succeed
                pages.append(browse(world))
                settle(world)
        assert ends(chat) == ["End: 2"], (number, plan.calls[number - 1], pages, ends(chat))


def refresh_calls() -> int:
    chat = logged_in()
    chat.log_in()
    chat.advance(hours=3)
    world = chat._world
    world.injector.policy = plan = FaultPlan(armed=True)
    chat.say("/calendar")
    assert chat.last.text == "End: 2"
    return len(plan.calls)


REFRESH_CALLS = refresh_calls()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refresh_that_fails_at_any_call_is_done_again_or_the_person_is_asked_to_log_in(fault: Fault) -> None:
    asked = 0
    for number in range(1, REFRESH_CALLS + 1):
        chat = logged_in()
        chat.log_in()
        chat.advance(hours=3)
        world, before = chat._world, len(ends(chat))
        world.injector.policy = plan = FaultPlan({number: fault}, armed=True)
        with suppress(Exception):  # as the bot raises, in its last attempt
            chat.say("/calendar")
        with world.active(), _stage(world._stage):
            settle(world)
        where = (number, plan.calls[number - 1], chat.last.text)
        if chat.last.buttons:
            raise AssertionError(where)
        said = ends(chat)[before:]
        assert len(said) <= 1, where
        if said and NEEDED in said[0]:
            asked += 1
        # In any case, the person can go on.
        chat.say("/calendar")
        if chat.last.buttons:
            chat.log_in()
        assert chat.last.text == "End: 2", where
    lost = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.RESPONSE_LOST)
    assert (asked > 0) == (fault in lost), asked
