"""docs/scale.md: its figures come from the code, the template and the published quotas."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from parley.adapter import App, Auth, Bucket, Call
from parley.engine.rate_limiter import RateLimiter, Reserved
from parley.platforms import config_type
from parley.platforms.discord.limits import buckets
from playground.platforms.base import NewMessage
from tools.cost.cases import STANDARD, measured
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.policies import FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, titled
from tools.scale import model
from tools.scale.__main__ import FILE
from tools.scale.document import document, without_trials
from tools.scale.model import QUOTAS, Needs, Resource


@pytest.fixture(scope="module")
def need() -> Needs:
    return model.needs(measured([STANDARD]))


def test_the_document_is_what_the_code_makes_of_it(need: Needs) -> None:
    """`tests/faults/test_scale.py` makes the rows of the trials again."""
    assert without_trials(FILE.read_text()) == document(need, ())


def test_the_tightest_resource_comes_first_and_its_share_grows_with_the_rate() -> None:
    small, large = Resource("small", 2, 10, ""), Resource("large", 1, 10, "")
    assert model.first_to_break([large, small]) == [small, large]
    assert (small.enough_for, small.share(5), small.share(10)) == (5, 1, 2)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("feishu", "Feishu, an app"),
        ("wechat active", "WeChat, an account"),
        ("wecom", "WeCom, a company"),
    ],
)
def test_the_limits_of_the_platforms_are_those_of_the_code(
    target: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The widest bucket of a reply is that of the app, over its longest period."""
    drawn: list[Bucket] = []

    def wait(_limiter: RateLimiter, buckets: Sequence[Bucket]) -> Reserved:
        drawn.extend(buckets)
        return Reserved(tuple(buckets), float("inf"))

    monkeypatch.setattr(RateLimiter, "wait", wait)
    found = titled(target)
    with isolated():
        sim = Simulation((found,), FaultPlan(), make_bot(), Random(1))
        sim.platforms[found.name].send_message(APP, found.room, "lin", NewMessage(text=found.text("count", "m00001")))
        sim.settle()
    assert max(map(by_minute, drawn)) == pytest.approx(QUOTAS["platforms"][name])


def test_a_bot_of_discord_makes_the_calls_of_the_code() -> None:
    """Calls that answer commands are not counted."""
    url = "https://discord.com/api/v10/channels/1/messages"
    call = Call(name="send", method="POST", url=url, auth=Auth("header", "Authorization"))
    config = msgspec.convert(titled("discord").apps[APP], config_type("discord"))
    assert by_minute(buckets(call, App("discord", APP, config))[0]) == QUOTAS["platforms"]["Discord, a bot"]


def by_minute(bucket: Bucket) -> float:
    """The calls that a bucket allows in a minute in the long run."""
    return 60 * min(limit.calls / limit.period for limit in bucket.limits)
