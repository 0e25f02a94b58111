"""Uploads, downloads and look-ups. Facts: Feishu docs, Images; Files; Get message resource; Get user info."""

from typing import TYPE_CHECKING, Any

from playground.multipart import FormPart, parse_multipart
from playground.platforms.feishu import store
from playground.platforms.feishu.accounts import Account, email, ids_of, union_id, user_id
from playground.platforms.feishu.errors import Refused
from playground.platforms.feishu.store import Blob
from playground.platforms.http import Request, Response
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

_PARAMS = 234001


def upload_image(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/im/v1/images`."""
    form = _form(request)
    if "image" not in form or _text(form, "image_type") not in ("message", "avatar"):
        raise Refused(_PARAMS, "Invalid request param: image_type and image are required.")
    data = form["image"].data
    blob = Blob(f"img_v3_{feishu.hex()}", "image", data, store.check_picture(data), app=account.name)
    feishu.store.put(blob)
    return _success({"image_key": blob.key})


def upload_file(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/im/v1/files`."""
    form = _form(request)
    name = _text(form, "file_name")
    if "file" not in form or not name or _text(form, "file_type") not in store.FILE_TYPES:
        raise Refused(_PARAMS, "Invalid request param: file_type, file_name and file are required.")
    duration = _text(form, "duration")
    if duration and not duration.isdigit():
        raise Refused(_PARAMS, "Invalid request param: duration must be milliseconds.")
    data = form["file"].data
    store.check_size(data, store.FILE_BYTES)
    blob = Blob(f"file_v3_{feishu.hex()}", "file", data, "application/octet-stream", name, account.name)
    feishu.store.put(blob)
    return _success({"file_key": blob.key})


def download(feishu: "Feishu", account: Account, request: Request, message_id: str, key: str) -> Response:
    """`GET /open-apis/im/v1/messages/:message_id/resources/:file_key?type=`."""
    kind = request.query.get("type")
    if kind not in ("image", "file"):
        raise Refused(_PARAMS, "Invalid request param: type must be image or file.")
    message = feishu.messages.get(message_id)
    if message is None or message.note:
        raise Refused(234003, "File not in msg.")
    if account.name not in feishu.rooms[message.room].bots:
        raise Refused(234004, "App not in chat.")
    feishu.note_call(room=message.room, message_id=message.id)
    if message.type in ("sticker", "interactive", "merge_forward"):
        raise Refused(234043, "Unsupported message type.")
    blob = feishu.store.blobs.get(key)
    if blob is None or key not in keys_in(message) or blob.kind != kind:
        raise Refused(234003, "File not in msg.")
    if len(blob.data) > store.RESOURCE_BYTES:
        raise Refused(234037, "Download file size exceed limit.")
    return _bytes(blob)


def own_resource(feishu: "Feishu", account: Account, _request: Request, key: str) -> Response:
    """`GET /open-apis/im/v1/images/:key`, `GET /open-apis/im/v1/files/:key`: only what this app uploaded."""
    if not feishu.store.of_app(key, account.name):
        raise Refused(234008, "The app is not the resource sender.")
    return _bytes(feishu.store.blobs[key])


def keys_in(message: Message) -> set[str]:
    """The keys of all pictures and files in `message`."""
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
        raise Refused(99992402, "field validation failed: user_id_type")
    person = next((p for p in feishu.persons.values() if ids[kind](p.id) == wanted), None)
    if person is None:
        raise Refused(41012, "user id invalid")
    shown = {**ids_of(account, person.id), "name": person.name, "en_name": person.name, "email": email(person.id)}
    return _success({"user": shown})


def chat(feishu: "Feishu", account: Account, _request: Request, chat_id: str) -> Response:
    """`GET /open-apis/im/v1/chats/:chat_id`."""
    room = feishu.rooms.get(chat_id)
    if room is None:
        raise Refused(232006, "Your request specifies a chat_id which is invalid.")
    if account.name not in room.bots:
        raise Refused(232011, "Operator can NOT be out of the chat.")
    mode = "p2p" if room.kind == "private" else "group"
    return _success({"name": room.name, "chat_mode": mode, "user_count": str(len(room.members))})


def bot(_feishu: "Feishu", account: Account, _request: Request) -> Response:
    """`GET /open-apis/bot/v3/info`."""
    shown = {"activate_status": 2, "app_name": account.name, "open_id": account.bot_id, "ip_white_list": []}
    return Response.of({"code": 0, "msg": "ok", "bot": shown})


def callback_ips(_feishu: "Feishu", _account: Account, _request: Request) -> Response:
    """`GET /open-apis/event/v1/outbound_ip`."""
    return _success({"ip_list": ["127.0.0.1"], "has_more": False, "page_token": ""})


def _form(request: Request) -> dict[str, FormPart]:
    parts = parse_multipart(request.headers.get("content-type", ""), request.body)
    if parts is None:
        raise Refused(_PARAMS, "Invalid request param: the body is no complete multipart form.")
    return {part.name: part for part in parts}


def _text(form: dict[str, FormPart], name: str) -> str:
    return form[name].text if name in form else ""


def _bytes(blob: Blob) -> Response:
    name = {"content-disposition": f'attachment; filename="{blob.name or blob.key}"'}
    return Response(200, blob.data, {"content-type": blob.mime, **name})


def _success(data: Any) -> Response:
    return Response.of({"code": 0, "msg": "success", "data": data})
