"""Faults, the record of calls and the in-process transport."""

import json

import httpx
import pytest

from playground.platforms.faults import KINDS, Fault
from playground.platforms.feishu import Feishu
from playground.transport import PlatformTransport


def fail(feishu, kind, **more):
    feishu.faults.add(Fault.of({"kind": kind, **more}))


def texts(feishu):
    return [m.content["text"] for m in feishu.messages.values()]


class TestKinds:
    def test_http_500_responds_500_and_does_nothing(self, bot, feishu, team):
        fail(feishu, "http_500")
        assert bot.send(team).status_code == 500
        assert texts(feishu) == []
        assert bot.send(team).json()["code"] == 0

    def test_timeout_does_not_respond_and_does_nothing(self, bot, feishu, team):
        fail(feishu, "timeout")
        with pytest.raises(httpx.ReadTimeout):
            bot.send(team)
        assert texts(feishu) == []

    def test_drop_response_carries_out_the_call_and_does_not_respond(self, bot, feishu, team):
        fail(feishu, "drop_response")
        with pytest.raises(httpx.RemoteProtocolError):
            bot.send(team, "done", uuid="1")
        assert texts(feishu) == ["done"]
        assert bot.send(team, "done", uuid="1").json()["code"] == 0
        assert texts(feishu) == ["done"]

    def test_limited_responds_with_the_platforms_error_code(self, bot, feishu, team):
        fail(feishu, "limited", times=2)
        response = bot.send(team)
        assert (response.status_code, response.json()["code"]) == (429, 99991400)
        assert response.headers["x-ogw-ratelimit-reset"] == "1"
        assert bot.http.post("/open-apis/bot/v2/hook/hook-1", json={}).json()["code"] == 11232
        assert texts(feishu) == []

    def test_forbidden_responds_with_the_platforms_error_code_and_does_nothing(self, bot, feishu, team):
        fail(feishu, "forbidden", path="/contact/")
        assert bot.send(team).json()["code"] == 0
        open_id = feishu.accounts["demo"].open_id("lin")
        response = bot.call("GET", f"/contact/v3/users/{open_id}")
        assert (response.status_code, response.json()["code"]) == (400, 99991672)
        assert bot.call("GET", f"/contact/v3/users/{open_id}").json()["code"] == 0

    def test_token_expired_revokes_the_token(self, bot, feishu, team):
        fail(feishu, "token_expired")
        assert [bot.send(team).json()["code"] for _ in range(2)] == [99991663, 99991663]
        bot.login()
        assert bot.send(team).json()["code"] == 0

    def test_token_expired_waits_for_a_call_with_a_token(self, bot, feishu, team):
        fail(feishu, "token_expired")
        token = bot.login()
        assert token == bot.headers["Authorization"].removeprefix("Bearer ")
        assert bot.send(team).json()["code"] == 99991663


class TestWhen:
    def test_a_fault_is_removed_after_its_hits(self, bot, feishu, team):
        fail(feishu, "http_500", times=3)
        assert [bot.send(team).status_code for _ in range(4)] == [500, 500, 500, 200]
        assert feishu.faults.to_json() == []

    def test_a_rate_hits_the_same_calls_for_the_same_seed(self, clock):
        def run(seed):
            made = Feishu(clock=clock)
            made.add_app("demo", {"app_id": "cli_1", "app_secret": "s"})
            fail(made, "http_500", rate=0.3, seed=seed)
            http = httpx.Client(transport=PlatformTransport({"http://feishu": made}))
            return [http.get("http://feishu/nothing").status_code for _ in range(200)]

        assert run(1) == run(1) != run(2)
        assert 40 <= run(1).count(500) <= 80

    def test_a_fault_can_be_limited_to_a_path_and_a_method(self, bot, feishu, team):
        fail(feishu, "http_500", path="/im/v1/messages", method="post", times=9)
        bot.login()
        assert bot.call("GET", f"/im/v1/chats/{team}").status_code == 200
        assert bot.send(team).status_code == 500

    def test_faults_are_listed_with_their_hits(self, bot, feishu, team):
        fail(feishu, "limited", rate=1, seed=5)
        bot.send(team)
        assert feishu.faults.to_json() == [{"kind": "limited", "hits": 1, "rate": 1, "seed": 5}]
        feishu.faults.clear()
        assert bot.send(team).status_code == 200

    @pytest.mark.parametrize(
        ("spec", "reason"),
        [
            ({"kind": "earthquake"}, f"kind must be one of {', '.join(KINDS)}"),
            ({"kind": "limited", "times": 1, "rate": 0.5}, "not both"),
            ({"kind": "limited", "times": 0}, "times must be"),
            ({"kind": "limited", "times": True}, "times must be"),
            ({"kind": "limited", "rate": 1.5}, "rate must be"),
            ({"kind": "limited", "rate": "often"}, "rate must be"),
            ({"kind": "limited", "seed": "x"}, "seed must be"),
        ],
    )
    def test_an_invalid_fault_is_rejected_with_a_reason(self, spec, reason):
        with pytest.raises(ValueError, match=reason):
            Fault.of(spec)


class TestRecord:
    def test_calls_are_recorded_in_order_with_their_status(self, bot, feishu, team):
        fail(feishu, "http_500")
        bot.send(team, "one")
        bot.send(team, "two", uuid="key-2")
        shown = [call.to_json() for call in feishu.calls]
        assert [(c["method"], c["path"], c["status"]) for c in shown] == [
            ("POST", "/open-apis/auth/v3/tenant_access_token/internal", 200),
            ("POST", "/open-apis/im/v1/messages", 500),
            ("POST", "/open-apis/im/v1/messages", 200),
        ]
        assert [c["fault"] for c in shown] == [None, "http_500", None]
        assert (shown[2]["room"], shown[2]["key"], shown[2]["app"]) == (team, "key-2", "demo")
        assert shown[2]["message_id"] in feishu.messages
        assert shown[2]["body"]["content"] == '{"text": "two"}'

    def test_a_call_without_a_response_has_status_0(self, bot, feishu, team):
        for kind in ("timeout", "drop_response"):
            fail(feishu, kind)
            with pytest.raises(httpx.TransportError):
                bot.send(team)
        assert [call.status for call in feishu.calls] == [200, 0, 0]

    def test_the_record_contains_no_secrets_and_no_tokens(self, bot, feishu, team):
        token = bot.login()
        bot.send(team)
        bot.http.post("/open-apis/bot/v2/hook/hook-1", json={"timestamp": "1", "sign": "the-signature-itself"})
        record = json.dumps([call.to_json() for call in feishu.calls])
        for secret in ("the-app-secret", token, "the-signature-itself"):
            assert secret not in record


class TestTransport:
    def test_the_longest_prefix_wins_and_is_removed_from_the_path(self, feishu):
        other = Feishu()
        http = httpx.Client(transport=PlatformTransport({"http://local": other, "http://local/feishu": feishu}))
        http.get("http://local/feishu/open-apis/x", params={"a": "b c"})
        assert [(c.path, c.query) for c in feishu.calls] == [("/open-apis/x", {"a": "b c"})]
        assert not other.calls

    def test_a_url_without_a_simulated_platform_refuses_the_connection(self, feishu):
        http = httpx.Client(transport=PlatformTransport({"http://local/feishu": feishu}))
        for url in ("http://local/feishuu", "http://elsewhere/feishu"):
            with pytest.raises(httpx.ConnectError):
                http.get(url)
