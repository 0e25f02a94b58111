"""The simulated platforms are found by their folders, and the page gets all that it shows of them."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from parley.platforms import NAMES
from playground.platforms import simulated_platforms
from playground.platforms.base import NewMessage, NotFoundError, Platform, Press
from playground.platforms.exchange import Request
from playground.platforms.model import Appearance, Delivery, Message, Part, Wire
from playground.views import message_view, platform_view


def test_every_platform_of_parley_has_a_simulated_platform():
    assert sorted(simulated_platforms()) == sorted(NAMES)


def test_tabs_begin_with_feishu_and_are_labelled_in_both_languages():
    platforms = simulated_platforms()
    assert next(iter(platforms)) == "feishu"
    for platform in platforms.values():
        assert all(platform.appearance.label[language] for language in ("en", "zh"))


def test_colours_are_valid_in_css():
    for platform in simulated_platforms().values():
        for color in (platform.appearance.color, *platform.appearance.bubble):
            assert re.fullmatch(r"#[0-9a-f]{6}", color)


class Minimal(Platform[str]):
    """A platform with the methods that have no default."""

    name: ClassVar[str] = "minimal"
    appearance: ClassVar[Appearance] = Appearance(label={"en": "Minimal"})

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        self.accounts[name] = str(config)
        self.join(name)

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        place = self.room(room, app, self.person(sender))
        return self.put_message(Message("1", place.id, sender, "user", "text", message.text, self.clock(), app))

    def parts(self, message: Message) -> list[Part]:
        return [{"kind": "text", "text": message.content}]

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        return status == 200


def test_a_platform_needs_only_the_methods_without_a_default():
    platform = Minimal()
    platform.add_app("demo", {})
    message = platform.send_message("demo", "", "lin", NewMessage(text="hi"))
    assert message_view(platform, message)["parts"] == [{"kind": "text", "text": "hi"}]
    assert platform_view(platform, {})["color"] == "#6b7a99"
    assert platform.api(Request("GET", "/anything")).status == 404
    for call in (
        lambda: platform.press("demo", message.id, "lin", Press(button="x")),
        lambda: platform.emit_event("demo", "react", {}),
        lambda: platform.challenge("demo"),
        lambda: platform.forge(Delivery("1", "minimal", "demo", "event", Wire(), b"", 0, "1"), "plain"),
        lambda: platform.media("none"),
    ):
        with pytest.raises(NotFoundError):
            call()
