import json

import pytest

from playground.platforms.base import NewMessage
from playground.platforms.feishu import resources

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--\r\n\n"


def code(response):
    return response.json()["code"]


def upload(bot, data=PNG, image_type="message"):
    return bot.call("POST", "/im/v1/images", data={"image_type": image_type}, files={"image": ("a.png", data)})


def upload_file(bot, data=b"x", **fields):
    form = {"file_type": "stream", "file_name": "a.bin"} | fields
    return bot.call("POST", "/im/v1/files", data=form, files={"file": ("a.bin", data)})


class TestUpload:
    def test_an_uploaded_image_can_be_sent_and_downloaded(self, bot, feishu, team):
        key = upload(bot).json()["data"]["image_key"]
        content = json.dumps({"image_key": key})
        assert code(bot.send(team, msg_type="image", content=content)) == 0
        assert bot.call("GET", f"/im/v1/images/{key}").content == PNG
        assert feishu.media(key) == ("image/png", PNG)

    def test_the_record_of_calls_contains_the_form_and_the_size_of_the_file(self, bot, feishu):
        upload(bot)
        assert feishu.calls[-1].body == {"image_type": "message", "image": f"<a.png, {len(PNG)} bytes>"}

    def test_a_key_of_another_app_cannot_be_sent(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(image=PNG, mention=False))
        content = json.dumps(sent.content)
        assert code(bot.send(team, msg_type="image", content=content)) == 230001
        assert code(bot.call("GET", f"/im/v1/images/{sent.content['image_key']}")) == 234008

    @pytest.mark.parametrize(
        ("data", "image_type", "expected"),
        [
            (b"", "message", 234010),
            (b"plain text", "message", 234011),
            (PNG, "poster", 234001),
            (PNG + bytes(resources.IMAGE_BYTES), "message", 234006),
        ],
    )
    def test_an_invalid_image_is_rejected(self, bot, data, image_type, expected):
        assert code(upload(bot, data, image_type)) == expected

    @pytest.mark.parametrize(
        ("data", "fields", "expected"),
        [
            (b"x", {}, 0),
            (b"x", {"file_type": "opus", "duration": "2300"}, 0),
            (b"x", {"file_type": "exe"}, 234001),
            (b"x", {"file_name": ""}, 234001),
            (b"x", {"duration": "2.3"}, 234001),
            (b"", {}, 234010),
            (bytes(resources.FILE_BYTES + 1), {}, 234006),
        ],
    )
    def test_a_file_needs_its_fields_and_has_a_size_limit(self, bot, data, fields, expected):
        assert code(upload_file(bot, data, **fields)) == expected

    def test_a_truncated_form_is_rejected(self, bot):
        request = bot.http.build_request(
            "POST", "/open-apis/im/v1/images", data={"image_type": "message"}, files={"image": PNG}
        )
        body = request.read()[:-10]
        headers = {"Content-Type": request.headers["content-type"]}
        response = bot.http.post("/open-apis/im/v1/images", content=body, headers=bot.headers | headers)
        assert code(response) == 234001


class TestDownload:
    @pytest.fixture
    def sent(self, feishu, team):
        return feishu.send_message("demo", team, "lin", NewMessage(text="look", image=PNG))

    @pytest.fixture
    def key(self, sent):
        return sent.content["content"][1][0]["image_key"]

    def get(self, bot, message_id, key, kind="image"):
        return bot.call("GET", f"/im/v1/messages/{message_id}/resources/{key}", params={"type": kind})

    def test_a_download_returns_the_uploaded_bytes(self, bot, sent, key):
        response = self.get(bot, sent.id, key)
        assert (response.content, response.headers["content-type"]) == (PNG, "image/png")

    def test_the_key_must_belong_to_the_message_and_have_the_type(self, bot, feishu, team, sent, key):
        other = feishu.send_message("demo", team, "lin", NewMessage(text="other"))
        assert code(self.get(bot, other.id, key)) == 234003
        assert code(self.get(bot, "om_none", key)) == 234003
        assert code(self.get(bot, sent.id, "img_none")) == 234003
        assert code(self.get(bot, sent.id, key, "file")) == 234003
        assert code(self.get(bot, sent.id, key, "video")) == 234001

    def test_the_bot_must_be_in_the_chat(self, bot, feishu, team, sent, key):
        feishu.rooms[team].bots.clear()
        assert code(self.get(bot, sent.id, key)) == 234004

    def test_a_sticker_cannot_be_downloaded(self, bot, feishu, team):
        sticker = feishu.send_message("demo", team, "lin", NewMessage(native=("sticker", {"file_key": "file_1"})))
        assert code(self.get(bot, sticker.id, "file_1", "file")) == 234043

    def test_a_file_of_a_person_can_be_downloaded(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(file=("plan.pdf", b"%PDF")))
        assert self.get(bot, sent.id, sent.content["file_key"], "file").content == b"%PDF"
