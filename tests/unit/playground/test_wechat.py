"""Simulated WeChat: callback modes, passive replies, message windows, tokens."""

from typing import Any

import msgspec
import pytest

from parley.adapter import Accepted, Rejected
from parley.model import Video
from playground import sample_image
from playground.platforms.base import NotFoundError
from playground.platforms.tencent import wire
from playground.platforms.wechat import UNAVAILABLE, Wechat
from tests.unit.playground.tencent import WECHAT, Caller, emit_event, openid, stable_token, wechat, wechat_send

MODES = ("plain", "compatible", "safe")


@pytest.fixture
def bot() -> Caller:
    return wechat()


# --- callbacks


@pytest.mark.parametrize("mode", MODES)
def test_the_verification_returns_the_unencrypted_echo_in_every_mode(mode: str) -> None:
    bot = wechat(mode=mode)
    delivery = bot.platform.challenge("demo")
    assert delivery.wire.query["echostr"].encode() == delivery.plain
    accepted = bot.receive(delivery.wire)
    assert isinstance(accepted, Accepted)
    assert bot.respond(delivery, 200, accepted.response.body) == "delivered"


@pytest.mark.parametrize("mode", MODES)
def test_a_text_gets_a_passive_reply_in_every_mode(mode: str) -> None:
    bot = wechat(mode=mode)
    delivery = bot.send_message("你好")
    message = bot.message(delivery)
    assert (message.content.text, message.sender.id, message.id) == ("你好", openid(bot), delivery.journal_id)
    assert bot.reply_passively(delivery, "one", "two") == "delivered"
    assert bot.bot_messages() == [("text", {"content": "one\ntwo"})]


def test_only_compatible_mode_has_plain_and_encrypted_fields() -> None:
    bodies = {mode: wechat(mode=mode).send_message("words").wire.body for mode in MODES}
    assert {mode: (b"words" in body, b"Encrypt" in body) for mode, body in bodies.items()} == {
        "plain": (True, False),
        "compatible": (True, True),
        "safe": (False, True),
    }


@pytest.mark.parametrize("mode", ["compatible", "safe"])
@pytest.mark.parametrize("how", ["signature", "stale", "plain", "truncated"])
def test_parley_rejects_a_forgery(mode: str, how: str) -> None:
    bot = wechat(mode=mode)
    assert isinstance(bot.receive(bot.platform.forge(bot.send_message(), how)), Rejected)


def test_a_plain_reply_is_invalid_in_safe_mode() -> None:
    fields = {"FromUserName": WECHAT["original_id"], "CreateTime": 1, "MsgType": "text", "Content": "hi"}
    seen = {}
    for mode in MODES:
        bot = wechat(mode=mode)
        bot.respond(bot.send_message(), 200, wire.xml({"ToUserName": openid(bot), **fields}))
        seen[mode] = [kind for kind, _ in bot.bot_messages()]
    assert seen == {"plain": ["text"], "compatible": ["text"], "safe": []}


@pytest.mark.parametrize("body", [b"", b"success"])
def test_an_empty_response_needs_no_encryption_in_safe_mode(bot: Caller, body: bytes) -> None:
    delivery = bot.send_message()
    assert bot.respond(delivery, 200, body) == "delivered"
    assert notes(bot) == []


def notes(bot: Caller) -> list[str]:
    return [message.content["text"] for message in bot.platform.messages.values() if message.note]


def test_a_person_without_a_response_sees_that_the_account_is_unavailable(bot: Caller) -> None:
    delivery = bot.send_message()
    assert [bot.respond(delivery, 0) for _ in range(3)] == ["retrying", "retrying", "failed"]
    assert notes(bot) == [UNAVAILABLE]


def test_an_invalid_reply_shows_that_the_account_is_unavailable(bot: Caller) -> None:
    bot.respond(bot.send_message(), 200, b'{"message":"Internal server error"}')
    assert notes(bot) == [UNAVAILABLE]


def test_a_transfer_to_an_agent_is_accepted() -> None:
    bot = wechat(mode="plain")
    ends = {"ToUserName": openid(bot), "FromUserName": WECHAT["original_id"], "CreateTime": 1}
    bot.respond(bot.send_message(), 200, wire.xml({**ends, "MsgType": "transfer_customer_service"}))
    assert bot.bot_messages() == [("transfer_customer_service", {})]


@pytest.mark.parametrize(
    ("kind", "more", "event", "text"),
    [
        ("subscribe", {"scene": "7"}, "subscribe", "7"),
        ("subscribe", {}, "subscribe", ""),
        ("unsubscribe", {}, "unsubscribe", ""),
        ("scan", {"scene": "7"}, "scan", "7"),
        ("menu", {"event_key": "k"}, "click", "k"),
        ("view", {"event_key": "https://example.com"}, "view", "https://example.com"),
        ("location", {"latitude": "31.2"}, "location", ""),
    ],
)
def test_events_have_the_id_that_parley_derives(bot: Caller, kind: str, more: Any, event: str, text: str) -> None:
    delivery = emit_event(bot, kind, **more)
    message = bot.message(delivery)
    assert (message.event, message.content.text, message.id) == (event, text, delivery.journal_id)


def test_an_unknown_event_is_rejected(bot: Caller) -> None:
    with pytest.raises(NotFoundError):
        emit_event(bot, "dance")


def test_a_video_is_downloaded_by_a_url(bot: Caller) -> None:
    (video,) = bot.message(bot.send_message("", file=("a.mp4", b"....ftyp"))).content.attachments
    assert isinstance(video, Video)
    url = bot.call("GET", "/media/get", params={"media_id": video.key})["video_url"]
    assert bot.http.get(url).content == b"....ftyp"


def test_an_image_is_downloaded_by_its_media_id(bot: Caller) -> None:
    (image,) = bot.message(bot.send_message("", image=sample_image.png())).content.attachments
    query = {"access_token": bot.token, "media_id": image.key}
    assert bot.http.get("/cgi-bin/media/get", params=query).content == sample_image.png()


def test_a_person_cannot_send_other_files(bot: Caller) -> None:
    with pytest.raises(NotFoundError, match="file"):
        bot.send_message("", file=("a.pdf", b"%PDF"))


# --- tokens


def test_the_stable_token_changes_in_its_last_five_minutes_and_both_are_valid(bot: Caller) -> None:
    first = bot.token
    bot.clock.now += 7200 - 301
    assert stable_token(bot)["access_token"] == first
    bot.clock.now += 1
    second = stable_token(bot)["access_token"]
    assert second != first
    for bot.token in (first, second):
        assert bot.call("GET", "/getcallbackip")["errcode"] == 0
    bot.clock.now += 300
    bot.token = first
    assert bot.call("GET", "/getcallbackip")["errcode"] == 42001


def test_a_forced_refresh_revokes_the_previous_token_and_is_counted(bot: Caller) -> None:
    assert stable_token(bot, force_refresh=True)["access_token"] != bot.token
    assert bot.call("GET", "/getcallbackip")["errcode"] == 42001
    assert stable_token(bot, force_refresh=True)["errcode"] == 45009
    bot.clock.now += 30
    assert "access_token" in stable_token(bot, force_refresh=True)


def test_the_old_token_api_expires_only_its_own_tokens(bot: Caller) -> None:
    query = {"grant_type": "client_credential", "appid": WECHAT["app_id"], "secret": WECHAT["app_secret"]}
    first, _ = (bot.http.get("/cgi-bin/token", params=query).json()["access_token"] for _ in range(2))
    stable, bot.token = bot.token, first
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0
    bot.clock.now += 300
    assert bot.call("GET", "/getcallbackip")["errcode"] == 42001
    bot.token = stable
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0


@pytest.mark.parametrize(
    ("more", "code"), [({"appid": "wx-other"}, 40013), ({"secret": "wrong"}, 40125), ({"grant_type": "other"}, 40002)]
)
def test_wrong_credentials_are_rejected(bot: Caller, more: dict[str, str], code: int) -> None:
    assert stable_token(bot, **more)["errcode"] == code


def test_an_account_may_make_two_thousand_calls_a_minute(bot: Caller) -> None:
    codes = [bot.call("GET", "/getcallbackip")["errcode"] for _ in range(2000)]
    assert (set(codes[:1999]), codes[1999]) == ({0}, 45011)  # the token was the first
    bot.clock.now += 60
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0


def test_a_new_account_is_discovered_by_its_id(bot: Caller) -> None:
    assert isinstance(bot.platform, Wechat)
    bot.platform.discover = lambda platform: {"second": {**WECHAT, "app_id": "wx2"}}
    response = stable_token(bot, appid="wx2")
    assert "access_token" in response
    assert bot.platform.app_names() == ["demo", "second"]


def test_the_record_of_calls_contains_no_secrets(bot: Caller) -> None:
    bot.send_message()
    wechat_send(bot)
    shown = msgspec.json.encode([call.to_json() for call in bot.platform.calls]).decode()
    assert not [secret for secret in (bot.token, "the-secret") if secret in shown]


def test_a_link_alone_on_its_line_is_shown_only_as_a_button(bot: Caller) -> None:
    link = '<a href="https://e.com/">Docs</a>'
    bot.send_message()
    assert wechat_send(bot, "text", {"content": f"Which?\nSee {link} or\n{link}\n{link}"}) == 0
    (message,) = [m for m in bot.platform.messages.values() if m.sender_kind == "bot"]
    text, buttons = bot.platform.parts(message)
    assert text == {"kind": "text", "text": "Which?\nSee Docs or"}
    assert [button["label"] for button in buttons["buttons"]] == ["Docs"] * 3
    first, second, third = buttons["buttons"]
    assert buttons["within"] == ["Which?\nSee ", first, " or\n", second, "\n", third, ""]
