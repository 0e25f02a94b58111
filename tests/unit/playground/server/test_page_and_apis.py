"""The page, access from other hosts, and the simulated APIs over HTTP."""

import io
import json
import re
import warnings

import httpx
import pytest

from playground.platforms.base import NewMessage
from playground.sample_image import png
from playground.server import STATIC
from playground.transport import PlatformTransport
from tests.unit.playground.serving import APP, send_message


class TestPage:
    def test_the_page_loads_everything_from_the_playground(self, http):
        page = http.get("/")
        assert page.status_code == 200
        assert "http" not in page.text.replace("http-equiv", "")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for path in ("/static/js/main.js", "/static/css/base.css", "/static/favicon.svg"):
            assert http.get(path).status_code == 200

    def test_requests_of_other_sites_and_hosts_are_rejected(self, http):
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            assert http.get("/api/rooms", headers=headers).status_code == 403
            assert http.get("/", headers=headers).status_code == 403

    def test_private_addresses_are_accepted_and_public_ones_rejected(self, http):
        for host in ("10.88.0.1:8400", "172.17.0.1:8400", "host.docker.internal:8400", "[::1]:8400"):
            assert http.get("/api/rooms", headers={"Host": host}).status_code == 200
        assert http.get("/api/rooms", headers={"Host": "8.8.8.8:8400"}).status_code == 403

    def test_both_languages_have_the_same_texts(self):
        texts = [(STATIC / "js" / "locales" / f"{name}.js").read_text() for name in ("en", "zh")]
        english, chinese = (re.findall(r'^  "?([\w.]+)"?: ["\[]', text, re.MULTILINE) for text in texts)
        assert english == chinese
        assert len(english) > 100
        lines = zip(*(text.splitlines() for text in texts), strict=True)
        assert all(sorted(re.findall(r"\{\w+\}", one)) == sorted(re.findall(r"\{\w+\}", other)) for one, other in lines)

    def test_what_real_clients_cannot_do_is_said_in_both_languages(self, http):
        found = {one["name"]: one["cannot"] for one in http.get("/api/rooms").json()["platforms"]}
        assert {"feishu", "wecom", "wechat", "discord"} <= {name for name, cannot in found.items() if cannot}
        assert all(one.keys() == {"en", "zh"} for cannot in found.values() for one in cannot)

    def test_rooms_and_the_state_of_the_stack_can_be_read(self, http):
        found = http.get("/api/rooms").json()
        (feishu,) = [one for one in found["platforms"] if one["name"] == "feishu"]
        assert feishu["apps"][0]["callback"].endswith("/callback/feishu/demo")
        assert found["stack"] == {"state": "unreachable", "bot": {}, "commands": 0}
        assert http.get("/healthz").json()["ok"] is True

    def test_live_updates_contain_messages_and_deliveries(self, http):
        seen = []
        with http.stream("GET", "/api/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: hello"
            send_message(http, "hello")
            for line in lines:
                seen.append(line)
                if line == "event: delivery" and seen.count(line) == 2:
                    break
        assert "event: message" in seen


class TestLark:
    """lark-oapi's client as the bot of the simulated Feishu."""

    @pytest.fixture
    def client(self, http, monkeypatch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK's imports warn of their own dependencies
            import lark_oapi as lark
            from lark_oapi.core.token import TokenManager
        monkeypatch.setattr(TokenManager, "cache", type(TokenManager.cache)())  # it outlives the simulated platform
        builder = lark.Client.builder().app_id(APP["app_id"]).app_secret(APP["app_secret"])
        client = builder.domain(str(http.base_url).rstrip("/")).build()
        # The SDK accepts only an origin, and all simulated platforms share one.
        vars(client)["_config"].domain += "/feishu"
        return client

    def test_it_sends_replies_uploads_reads_and_gets_errors(self, client, feishu):
        from lark_oapi.api.im.v1 import (
            CreateImageRequest,
            CreateImageRequestBody,
            CreateMessageRequest,
            CreateMessageRequestBody,
            GetMessageRequest,
            ReplyMessageRequest,
            ReplyMessageRequestBody,
        )

        room = feishu.room_id("team", "group")
        body = CreateMessageRequestBody.builder().receive_id(room).msg_type("text").content('{"text":"hi"}').build()
        sent = client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body).build()
        )
        assert sent.success(), sent.msg
        form = CreateImageRequestBody.builder().image_type("message").image(io.BytesIO(png())).build()
        image = client.im.v1.image.create(CreateImageRequest.builder().request_body(form).build())
        assert image.success(), image.msg
        content = json.dumps({"image_key": image.data.image_key})
        reply = ReplyMessageRequestBody.builder().msg_type("image").content(content).build()
        reply.reply_in_thread = True
        reply = client.im.v1.message.reply(
            ReplyMessageRequest.builder().message_id(sent.data.message_id).request_body(reply).build()
        )
        assert reply.success(), reply.msg
        read = client.im.v1.message.get(GetMessageRequest.builder().message_id(reply.data.message_id).build())
        (item,) = read.data.items
        assert (item.parent_id, item.thread_id) == (sent.data.message_id, reply.data.thread_id)
        body.receive_id = "oc_none"
        wrong = client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body).build()
        )
        assert (wrong.success(), wrong.code) == (False, 230034)

    def test_it_adds_and_removes_a_reaction(self, client, feishu):
        from lark_oapi.api.im.v1 import (
            CreateMessageReactionRequest,
            CreateMessageReactionRequestBody,
            DeleteMessageReactionRequest,
            Emoji,
        )

        sent = feishu.send_message("demo", feishu.room_id("team", "group"), "lin", NewMessage(text="hi"))
        body = CreateMessageReactionRequestBody.builder().reaction_type(Emoji.builder().emoji_type("OK").build())
        request = CreateMessageReactionRequest.builder().message_id(sent.id).request_body(body.build()).build()
        made = client.im.v1.message_reaction.create(request)
        assert made.success(), made.msg
        assert [each["reaction_id"] for each in sent.reactions] == [made.data.reaction_id]
        request = DeleteMessageReactionRequest.builder().message_id(sent.id).reaction_id(made.data.reaction_id).build()
        assert client.im.v1.message_reaction.delete(request).success()
        assert sent.reactions == []


def test_the_transport_and_the_server_respond_the_same(http, feishu):
    inside = httpx.Client(transport=PlatformTransport({"http://inside": feishu}), base_url="http://inside")
    path = "/open-apis/im/v1/messages/om_none"
    one, other = inside.get(path), http.get(f"/feishu{path}")
    assert (one.status_code, one.json()["code"]) == (other.status_code, other.json()["code"]) == (400, 99991661)
