"""Uploads, downloads, users and chats.

Facts: Feishu docs, Images › Upload; Files › Upload; Messages › Get resource; Get user info.
"""

from typing import TYPE_CHECKING, Any

from playground.multipart import FormPart, parse_multipart
from playground.platforms.exchange import Request, Response
from playground.platforms.feishu.accounts import Account, email, ids_of, union_id, user_id
from playground.platforms.feishu.errors import FeishuError
from playground.platforms.feishu.messages import success
from playground.platforms.media import Blob, image_type
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

IMAGE_BYTES = 10 * 1024 * 1024
FILE_BYTES = 30 * 1024 * 1024
RESOURCE_BYTES = 100 * 1024 * 1024
FILE_TYPES = frozenset("opus mp4 pdf doc xls ppt stream".split())
_PARAMS = 234001


def upload_image(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/im/v1/images`."""
    form = _form(request)
    if "image" not in form or _text(form, "image_type") not in ("message", "avatar"):
        raise FeishuError(_PARAMS, "Invalid request param: image_type and image are required.")
    data = form["image"].data
    blob = Blob(f"img_v3_{feishu.hex()}", "image", data, _check_image(data), app=account.name)
    feishu.put_blob(blob)
    return success({"image_key": blob.key})


def upload_file(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/im/v1/files`."""
    form = _form(request)
    name = _text(form, "file_name")
    if "file" not in form or not name or _text(form, "file_type") not in FILE_TYPES:
        raise FeishuError(_PARAMS, "Invalid request param: file_type, file_name and file are required.")
    duration = _text(form, "duration")
    if duration and not duration.isdigit():
        raise FeishuError(_PARAMS, "Invalid request param: duration must be milliseconds.")
    data = form["file"].data
    _check_size(data, FILE_BYTES)
    blob = Blob(f"file_v3_{feishu.hex()}", "file", data, "application/octet-stream", name, account.name)
    feishu.put_blob(blob)
    return success({"file_key": blob.key})


def download(feishu: "Feishu", account: Account, request: Request, message_id: str, key: str) -> Response:
    """`GET /open-apis/im/v1/messages/:message_id/resources/:file_key?type=`."""
    kind = request.query.get("type")
    if kind not in ("image", "file"):
        raise FeishuError(_PARAMS, "Invalid request param: type must be image or file.")
    message = feishu.messages.get(message_id)
    if message is None or message.note:
        raise FeishuError(234003, "File not in msg.")
    if account.name not in feishu.rooms[message.room].bots:
        raise FeishuError(234004, "App not in chat.")
    feishu.note_call(room=message.room, message_id=message.id)
    if message.type in ("sticker", "interactive", "merge_forward"):
        raise FeishuError(234043, "Unsupported message type.")
    blob = feishu.blobs.get(key)
    if blob is None or key not in keys_in(message) or blob.kind != kind:
        raise FeishuError(234003, "File not in msg.")
    if len(blob.data) > RESOURCE_BYTES:
        raise FeishuError(234037, "Download file size exceed limit.")
    return _file(blob)


def download_own(feishu: "Feishu", account: Account, _request: Request, key: str) -> Response:
    """`GET /open-apis/im/v1/images/:key`, `GET /open-apis/im/v1/files/:key`: only resources that this app uploaded."""
    if not feishu.uploaded_by(account)(key):
        raise FeishuError(234008, "The app is not the resource sender.")
    return _file(feishu.blobs[key])


def keys_in(message: Message) -> set[str]:
    """The keys of all images and files in `message`."""
    return set(_keys(message.content))


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [item for name, item in value.items() if name in ("image_key", "file_key") and isinstance(item, str)]
        return own + [key for item in value.values() for key in _keys(item)]
    return [key for item in value for key in _keys(item)] if isinstance(value, list) else []


def user(feishu: "Feishu", account: Account, request: Request, wanted: str) -> Response:
    """`GET /open-apis/contact/v3/users/:user_id`."""
    ids = {"open_id": account.open_id, "union_id": union_id, "user_id": user_id}
    kind = request.query.get("user_id_type", "open_id")
    if kind not in ids:
        raise FeishuError(99992402, "field validation failed: user_id_type")
    person = next((p for p in feishu.persons.values() if ids[kind](p.id) == wanted), None)
    if person is None:
        raise FeishuError(41012, "user id invalid")
    data = {
        **ids_of(account, person.id),
        "department_ids": ["od-demo"],
        "name": person.name,
        "en_name": person.name,
        "email": email(person.id),
    }
    return success({"user": data})


def chat(feishu: "Feishu", account: Account, _request: Request, chat_id: str) -> Response:
    """`GET /open-apis/im/v1/chats/:chat_id`."""
    room = feishu.rooms.get(chat_id)
    if room is None:
        raise FeishuError(232006, "Your request specifies a chat_id which is invalid.")
    if account.name not in room.bots:
        raise FeishuError(232011, "Operator can NOT be out of the chat.")
    mode = "p2p" if room.kind == "private" else "group"
    return success({"name": room.name, "chat_mode": mode, "user_count": str(len(room.members))})


def bot(_feishu: "Feishu", account: Account, _request: Request) -> Response:
    """`GET /open-apis/bot/v3/info`."""
    data = {"activate_status": 2, "app_name": account.name, "open_id": account.bot_id, "ip_white_list": []}
    return Response.of({"code": 0, "msg": "ok", "bot": data})


def callback_ips(_feishu: "Feishu", _account: Account, _request: Request) -> Response:
    """`GET /open-apis/event/v1/outbound_ip`."""
    return success({"ip_list": ["127.0.0.1"], "has_more": False, "page_token": ""})


def _form(request: Request) -> dict[str, FormPart]:
    parts = parse_multipart(request.headers.get("content-type", ""), request.body)
    if parts is None:
        raise FeishuError(_PARAMS, "Invalid request param: the body is no complete multipart form.")
    return {part.name: part for part in parts}


def _text(form: dict[str, FormPart], name: str) -> str:
    return form[name].text if name in form else ""


def _file(blob: Blob) -> Response:
    return Response.file(blob.data, blob.mime, blob.name or blob.key)


def _check_size(data: bytes, limit: int) -> None:
    if not data:
        raise FeishuError(234010, "File's size can't be 0.")
    if len(data) > limit:
        raise FeishuError(234006, "The file size exceed the max value.")


def _check_image(data: bytes) -> str:
    """The content type of an uploaded image. Raises FeishuError."""
    _check_size(data, IMAGE_BYTES)
    mime = image_type(data)
    if not mime:
        raise FeishuError(234011, "Can't regonize the image format.")
    return mime
