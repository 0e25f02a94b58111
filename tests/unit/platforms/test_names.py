"""Names of senders, on each platform: the settings, and the call that fetches a name."""

import msgspec
import pytest

from parley.model import Message, Sender
from parley.platforms import config_type
from parley.platforms.feishu.outbound import name_call
from tests.conformance.kit import adapters
from tests.factories import make_message


@pytest.mark.parametrize(("names", "wanted"), [(True, True), (False, False)])
@pytest.mark.parametrize("platform", ["feishu", "wecom"])
def test_an_app_fetches_names_if_its_configuration_says_so(platform: str, *, names: bool, wanted: bool) -> None:
    config = msgspec.structs.replace(adapters()[platform].app.config, names=names)
    assert config.fetches_names is wanted


@pytest.mark.parametrize("platform", ["discord", "wechat"])
def test_a_platform_whose_names_are_not_fetched_has_no_setting_for_it(platform: str) -> None:
    assert "names" not in {field.name for field in msgspec.structs.fields(config_type(platform))}
    assert not adapters()[platform].app.config.fetches_names


def named(id_: str) -> Message:
    return make_message(sender=Sender(id=id_))


@pytest.mark.parametrize(
    ("id_", "kind"), [("ou_1", "open_id"), ("on_1", "union_id"), ("e33ggbyz", "user_id"), ("a/b?c", "user_id")]
)
def test_feishu_is_asked_by_the_kind_of_the_id(id_: str, kind: str) -> None:

    call = name_call(named(id_), adapters()["feishu"].app)
    assert call is not None
    assert call.query == {"user_id_type": kind}
    assert "?" not in call.url
