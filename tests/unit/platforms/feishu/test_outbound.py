"""Outcomes, tokens, rate limits and downloads. The calls that deliver a reply are tested in tests/golden."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Bucket,
    Call,
    Headers,
    Limit,
    Outcome,
    Pause,
    Permanent,
    Sent,
    Token,
    TokenRejected,
    TokenUnavailableError,
    Transient,
    Unknown,
    Upload,
)
from parley.errors import RetryAfter
from parley.model import AnySegment, Audio, Card, Destination, File, Image, Outgoing, Reply, Text
from parley.platforms import outbound
from parley.platforms.feishu.outbound import PROFILE, download, limit_feedback, limits, outcome, token, token_key
from tests.conformance.adapters.feishu import ADAPTER
from tests.conformance.feishu import dump, make_app

NOW = 1_718_000_000.0
HOST = "https://open.feishu.cn/open-apis"
SEND = Call(name="send", method="POST", url=f"{HOST}/im/v1/messages")
UPLOAD = Call(name="upload_image", method="POST", url="u", upload=Upload(field="image", media=Image(), limit=1))
RECALL = Call(name="recall", method="DELETE", url="u")


REFUSED = [
    *(230002, 230006, 230013, 230017, 230018, 230019, 230022, 230027, 230028, 230029, 230034, 230035, 230038, 230053),
    *(230110, 232009, 230011, 230031, 230009, 230026, 99991403, 99991401, 99991672, 99991669, 99991679),
    *(19021, 19022, 19024, 777777),
]
"""Codes of the docs that are permanent, and one that the docs do not list."""


def out(*segments: AnySegment, op: Any = "send", target: str = "", **to: Any) -> Outgoing:
    return Outgoing(
        id="0" * 32,
        message_key="k",
        ordinal=0,
        to=Destination(platform="feishu", app="demo", **to),
        reply=Reply(segments=segments or (Text(text="hi"),), op=op, target=target),
        created=NOW,
    )


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else dump(body), Headers(headers))


def outcome_of(body: Any, status: int = 200, call: Call = SEND, **headers: Any) -> Outcome:
    return outcome(call, answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()}))


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_a_success_returns_the_id_of_the_new_object() -> None:
    assert outcome_of({"code": 0, "data": {"message_id": "om_1"}}) == Sent(id="om_1")
    assert outcome_of({"code": 0, "data": {"image_key": "img_1"}}) == Sent(id="img_1", data={"key": "img_1"})
    assert outcome_of({"code": 0, "data": {"file_key": "f_1"}}) == Sent(id="f_1", data={"key": "f_1"})
    assert outcome_of({"code": 0, "data": None}) == Sent()
    assert outcome_of({"StatusCode": 0, "StatusMessage": "success"}) == Sent()


@pytest.mark.parametrize("code", [99991661, 99991663, 99991664, 99991665, 99991668, 99991671, 99991677])
def test_a_refused_token_is_reported_as_token_rejected(code: int) -> None:
    assert isinstance(outcome_of({"code": code, "msg": "x"}, 400), TokenRejected)


@pytest.mark.parametrize("code", [99991400, 230020, 11232, 11233, 11247])
@pytest.mark.parametrize("status", [200, 400, 429])
def test_a_rate_limit_code_is_recognised_with_any_http_status(code: int, status: int) -> None:
    assert outcome_of({"code": code, "msg": "slow"}, status) == RetryAfter(1, f"{code} slow")


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"x_ogw_ratelimit_reset": "7"}, 7),
        ({"x_ogw_ratelimit_reset": "0.5"}, 0.5),
        ({"retry_after": "9"}, 9),
        ({"x_ogw_ratelimit_reset": "soon", "retry_after": "9"}, 9),
        ({"x_ogw_ratelimit_reset": "86400"}, 600),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1),
    ],
)
def test_a_rate_limit_takes_its_wait_from_the_headers(headers: dict[str, Any], after: float) -> None:
    assert outcome_of({"code": 99991400, "msg": "x"}, 400, **headers) == RetryAfter(after, "99991400 x")


def test_http_429_is_a_rate_limit_with_any_body() -> None:
    assert isinstance(outcome_of(b"<html>", 429), RetryAfter)
    assert isinstance(outcome_of({"code": 1, "msg": "?"}, 429), RetryAfter)


def test_a_message_that_is_still_being_sent_is_transient() -> None:
    assert isinstance(outcome_of({"code": 230049, "msg": "x"}, 400), Transient)


@pytest.mark.parametrize("code", [230001, 230025, 230055, 230099, 200000, 100030, 9499, 99992402])
def test_a_refused_form_can_fall_back_to_plain_text(code: int) -> None:
    found = outcome_of({"code": code, "msg": "x"}, 400)
    assert isinstance(found, Permanent)
    assert found.part == "form"


def test_refused_media_can_be_replaced_by_their_address() -> None:
    assert outcome_of({"code": 234006, "msg": "too big"}, 400, UPLOAD) == Permanent("234006 too big", part="media")
    assert outcome_of({"code": 230001, "msg": "x"}, 400, UPLOAD) == Permanent("230001 x", part="media")
    assert outcome_of({"code": 234003, "msg": "other"}, 400) == Permanent("234003 other")


@pytest.mark.parametrize("code", REFUSED)
@pytest.mark.parametrize("status", [200, 400, 403])
def test_any_other_code_is_permanent(code: int, status: int) -> None:
    assert outcome_of({"code": code, "msg": "no"}, status) == Permanent(f"{code} no")


def test_recalling_a_deleted_message_succeeds() -> None:
    for code in (230011, 230110):
        assert outcome_of({"code": code, "msg": "gone"}, 400, RECALL) == Sent()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_has_an_unknown_outcome(status: int) -> None:
    assert isinstance(outcome_of({"code": 2200, "msg": "internal"}, status), Unknown)
    assert isinstance(outcome_of(b"<html>", status), Unknown)
    assert isinstance(outcome_of(b"", status), Unknown)


@pytest.mark.parametrize("status", [500, 503])
def test_a_known_code_takes_precedence_over_a_server_error(status: int) -> None:
    assert isinstance(outcome_of({"code": 99991400, "msg": ""}, status), RetryAfter)
    assert isinstance(outcome_of({"code": 99991663, "msg": ""}, status), TokenRejected)
    assert isinstance(outcome_of({"code": 230099, "msg": ""}, status), Permanent)


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b'{"code":"0"}', b'{"code":true}', b'{"code":null}', b"\xff"])
def test_http_200_without_a_code_has_an_unknown_outcome(body: bytes) -> None:
    assert isinstance(outcome_of(body), Unknown)


def test_a_gateway_error_is_permanent_except_for_its_timeout() -> None:
    assert outcome_of(b"<html>", 413) == Permanent("HTTP 413 without a code")
    assert isinstance(outcome_of(b"<html>", 408), Unknown)


def test_a_reason_has_at_most_200_characters() -> None:
    found = outcome_of({"code": 1, "msg": "x" * 10_000}, 400)
    assert isinstance(found, Permanent)
    assert len(found.reason) == 200


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_message_counts_against_its_chat_and_the_api() -> None:
    app = make_app()
    chat, whole = limits(SEND, out(room_id="oc_1", user_id="ou_1"), app)
    assert chat == Bucket("feishu#chat#oc_1", 5, 1)
    assert whole.limits == (Limit(50, 1), Limit(1000, 60))
    assert "cli_a1b2c3d4e5f60708" in whole.key
    assert limits(SEND, out(user_id="ou_1"), app)[0].key == "feishu#chat#ou_1"
    reply = Call(name="reply", method="POST", url="u")
    assert limits(reply, out(room_id="oc_1"), app)[0] == chat
    assert limits(reply, out(room_id="oc_1"), app)[1] != whole  # each API has a limit of its own


def test_an_edit_counts_against_its_message() -> None:
    update = Call(name="update", method="PATCH", url="u")
    edit, _whole = limits(update, out(op="edit", target="om_9"), make_app())
    assert edit == Bucket("feishu#message#om_9", 5, 1)


def test_other_calls_count_against_their_api_only() -> None:
    assert len(limits(UPLOAD, out(room_id="oc_1"), make_app())) == 1


def test_a_webhook_has_its_own_limits_and_no_key_contains_its_address() -> None:
    push = Call(name="push", method="POST", url="https://open.feishu.cn/open-apis/bot/v2/hook/secret-id")
    (hook,) = limits(push, out(webhook="alerts"), ADAPTER.app)
    assert hook.limits == (Limit(5, 1), Limit(100, 60))
    assert "secret-id" not in hook.key


def test_a_rate_limit_pauses_the_bucket_for_all_instances() -> None:
    app, sent = make_app(), out(room_id="oc_1")
    _, whole = limits(SEND, sent, app)
    hit = answer({"code": 99991400}, 400, {"x-ogw-ratelimit-reset": "7"})
    assert limit_feedback(SEND, hit, sent, app) == (Pause(whole, 7),)
    assert limit_feedback(SEND, answer({"code": 0}), sent, app) == ()


@pytest.mark.parametrize(
    ("name", "code", "paused"),
    [
        ("send", 230020, "feishu#chat#oc_1"),
        ("reply", 230020, "feishu#chat#oc_1"),
        ("send", 11233, "feishu#chat#oc_1"),
        ("edit", 230020, "feishu#message#om_9"),
        ("update", 230020, "feishu#message#om_9"),
        ("recall", 230020, None),  # only this call waits
        ("upload_image", 230020, None),
        ("send", 99991400, "feishu#cli_a1b2c3d4e5f60708#send"),
        ("send", 11232, "feishu#cli_a1b2c3d4e5f60708#send"),
        ("send", 11247, "feishu#cli_a1b2c3d4e5f60708#send"),
        ("recall", 99991400, "feishu#cli_a1b2c3d4e5f60708#recall"),
        ("push", 11232, "feishu#webhook#"),
        ("push", 11233, "feishu#webhook#"),
        ("push", 9499, "feishu#webhook#"),
    ],
)
def test_a_rate_limit_pauses_what_its_code_names_and_nothing_else(name: str, code: int, paused: str | None) -> None:
    call = Call(name=name, method="POST", url="https://open.feishu.cn/x")
    hit = answer({"code": code, "msg": "too many request"}, 400)
    pauses = limit_feedback(call, hit, out(op="edit", target="om_9", room_id="oc_1"), make_app())
    assert [pause.seconds for pause in pauses] == ([1] if paused else [])
    assert all(pause.bucket.key.startswith(paused or "-") for pause in pauses)


# --- tokens -----------------------------------------------------------------------------------------------------------


def run_token(
    app: App, answers: list[Answer], pushed: Mapping[str, str], tenant: str = "t1"
) -> tuple[Token, list[Call]]:
    """Run `token` with these answers. Returns the token and the calls; lets its exceptions through."""
    steps = token(out(tenant=tenant), app, pushed, NOW)
    calls = [next(steps)]
    try:
        for one in answers:
            calls.append(steps.send(one))  # noqa: PERF401 - a generator expression would swallow the StopIteration
    except StopIteration as end:
        return end.value, calls
    raise AssertionError(f"more calls than answers: {calls}")


STORE = make_app(app_type="store")
TICKET = {"app_ticket": "tkt-1"}
GOOD_APP = answer({"code": 0, "app_access_token": "a-1", "expire": 7000})
GOOD = answer({"code": 0, "msg": "ok", "tenant_access_token": "t-1", "expire": 7140})


def test_an_internal_app_gets_a_token_with_its_secret() -> None:
    found, (call,) = run_token(make_app(), [GOOD], {})
    assert found == Token("t-1", NOW + 7140)
    assert call.url == f"{HOST}/auth/v3/tenant_access_token/internal"
    assert call.json == {"app_id": "cli_a1b2c3d4e5f60708", "app_secret": "appsecret"}
    assert (call.auth, call.idempotent_for) == (None, IDEMPOTENT)


def test_a_store_app_exchanges_the_ticket_for_an_app_token_and_a_tenant_token() -> None:
    found, calls = run_token(STORE, [GOOD_APP, GOOD], TICKET)
    assert found == Token("t-1", NOW + 7140)
    assert [call.url.removeprefix(f"{HOST}/auth/v3/") for call in calls] == ["app_access_token", "tenant_access_token"]
    assert calls[0].json["app_ticket"] == "tkt-1"
    assert calls[1].json == {"app_access_token": "a-1", "tenant_key": "t1"}


@pytest.mark.parametrize(
    ("pushed", "answers"),
    [({}, []), (TICKET, [answer({"code": 10012, "msg": "app ticket invalid"}, 400)])],
    ids=["no ticket yet", "ticket refused"],
)
def test_without_a_valid_ticket_a_new_one_is_requested(pushed: dict[str, str], answers: list[Answer]) -> None:
    steps = token(out(tenant="t1"), STORE, pushed, NOW)
    call = next(steps)
    for one in answers:
        call = steps.send(one)
    assert call.url == f"{HOST}/auth/v3/app_ticket/resend"
    with pytest.raises(TokenUnavailableError, match="app_ticket") as raised:
        steps.send(answer({"code": 0}))
    assert raised.value.retry_after == 10


def test_a_store_app_needs_a_tenant() -> None:
    with pytest.raises(TokenUnavailableError, match="tenant") as raised:
        run_token(STORE, [], TICKET, tenant="")
    assert raised.value.retry_after is None


@pytest.mark.parametrize(
    ("refusal", "after"),
    [
        (answer({"code": 10014, "msg": "app secret invalid"}), None),
        (answer({"code": 10003, "msg": "bad"}, 400), None),
        (answer({"code": 99991400, "msg": "x"}, 400, {"x-ogw-ratelimit-reset": "3"}), 3),
        (answer(b"", 429), 1),
        (answer(b"<html>", 502), 5),
        (answer({"code": 2200, "msg": "x"}, 500), 5),
        (answer(b""), 5),
        (answer({"code": 0, "tenant_access_token": ""}), 5),
        (answer({"code": 0, "tenant_access_token": "t-1", "expire": "x"}), 5),
    ],
)
def test_a_refused_token_has_a_retry_delay(refusal: Answer, after: float | None) -> None:
    with pytest.raises(TokenUnavailableError) as raised:
        run_token(make_app(), [refusal], {})
    assert raised.value.retry_after == after
    assert "appsecret" not in str(raised.value)


def test_the_error_for_a_wrong_secret_names_the_settings() -> None:
    with pytest.raises(TokenUnavailableError, match=r"10014 app secret invalid; see app_id, app_secret"):
        run_token(make_app(), [answer({"code": 10014, "msg": "app secret invalid"})], {})


def test_a_token_is_shared_per_host_and_app_and_per_tenant_of_a_store_app() -> None:
    assert token_key(out(tenant="t1"), make_app()) == token_key(out(tenant="t2"), make_app())
    assert token_key(out(tenant="t1"), STORE) != token_key(out(tenant="t2"), STORE)
    assert token_key(out(), make_app()) != token_key(out(), make_app(host="lark"))
    assert token_key(out(), make_app()) != token_key(out(), make_app(app_id="cli_other"))


def test_a_webhook_needs_a_token_only_to_upload_an_image() -> None:
    app = ADAPTER.app
    assert token_key(out(webhook="alerts"), app) is None
    assert token_key(out(Image(key="img_1"), webhook="alerts"), app) is None
    assert token_key(out(Image(url="https://x/a.png"), webhook="alerts"), app) == token_key(out(), app)


def test_the_profile_names_the_app_ticket() -> None:
    assert PROFILE.pushed_credentials == ("app_ticket",)


# --- downloads --------------------------------------------------------------------------------------------------------


def test_media_of_a_message_are_fetched_by_message_id_and_key() -> None:
    image = download(Image(key="img_1"), "om_1", make_app())
    assert (image.method, image.url, image.query) == (
        "GET",
        f"{HOST}/im/v1/messages/om_1/resources/img_1",
        {"type": "image"},
    )
    assert image.auth
    for media in (File(key="f/1"), Audio(key="f/1")):
        call = download(media, "om/1", make_app())
        assert (call.url, call.query) == (f"{HOST}/im/v1/messages/om%2F1/resources/f%2F1", {"type": "file"})


def test_media_that_the_bot_uploaded_are_fetched_by_key() -> None:
    assert download(Image(key="img_1"), "", make_app()).url == f"{HOST}/im/v1/images/img_1"
    assert download(File(key="f_1"), "", make_app(host="lark")).url == (
        "https://open.larksuite.com/open-apis/im/v1/files/f_1"
    )


def test_the_registry_has_the_outbound_module() -> None:
    assert outbound("feishu").PROFILE is PROFILE


# --- idempotency keys -------------------------------------------------------------------------------------------------


def test_the_idempotency_key_depends_on_reply_part_and_form_and_fits_the_limit() -> None:
    def keys(reply: Outgoing) -> list[str]:
        steps = outbound("feishu").deliver(reply, make_app(), NOW)
        made = [next(steps)]
        try:
            while True:
                made.append(steps.send(Sent(id="om_1")))
        except StopIteration:
            return [call.json["uuid"] for call in made]

    rich = out(Text(text="a"), Card(title="c"), room_id="oc_1")
    plain = msgspec.structs.replace(rich, form="plain")
    other = msgspec.structs.replace(rich, id="1" * 32)
    found = [*keys(rich), *keys(plain), *keys(other)]
    assert len(set(found)) == len(found) == 6
    assert max(map(len, found)) <= 50
    assert keys(rich) == keys(rich)
    assert json.dumps(found)
