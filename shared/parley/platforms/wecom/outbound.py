"""Sends replies of WeCom apps: messages, card updates, recalls, pushes (WeCom docs: Send application messages).

`enable_duplicate_check` drops a message whose JSON equals that of an earlier one, and still reports success. A bot that
says "done" twice means two messages, so texts are sent without it and have no idempotency window. If the outcome of a
text is unknown, the reply is reported as UNKNOWN or sent again (`on_unknown`). A template card contains its own task
id: only its own repeat has the same JSON. So cards are sent with the check.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Bucket,
    Call,
    Limit,
    Outcome,
    Permanent,
    Profile,
    Sent,
    Steps,
    TokenSteps,
    UndeliverableError,
)
from parley.crypto import unseal
from parley.markdown import in_dialect
from parley.model import AnyMedia, AnySegment, Card, Destination, Markdown, Message, Outgoing, Text, digest, plain_text
from parley.platforms.tencent import api, passive
from parley.platforms.tencent.media import download_call, upload_all, upload_call
from parley.platforms.tencent.plain import untagged, untagged_text
from parley.platforms.tencent.render import Rendered
from parley.platforms.wecom import cards, receivers, robot, suites
from parley.platforms.wecom.codes import CODES, TOKEN_SETTINGS
from parley.platforms.wecom.config import RESPONSE_CODE_LIFETIME, Config
from parley.platforms.wecom.render import DIALECT, media_type_of, messages
from parley.untrusted import array, scalar, text

PROFILE = Profile(retry_for=3600, pushed_credentials=("suite_ticket",), continues=True, resends=True)
read_addresses = api.read_addresses
exchange_call, read_grant = suites.exchange_call, suites.read_grant
authorisation_call, read_authorisation = suites.authorisation_call, suites.read_authorisation
tenant_token_call, read_tenant_token = suites.tenant_token_call, suites.read_tenant_token
has_left = suites.has_left

_DUPLICATE_CHECK = 14_400
"""Seconds in which a repeat is dropped. WeCom allows no more."""
_COUNTED = 20
"""Persons of one message whose limits are counted."""
_INSTALL_PAGES = 60, 60, Limit(600, 3600)
"""Install pages of an app that are opened in a minute and in an hour: everybody can open them."""
_LABEL = 30
"""Characters that a button shows. A longer text is also sent as a message."""


class _Place(NamedTuple):
    """Where messages go: the URL, and the fields of the body that name the receivers."""

    url: str
    body: dict[str, Any]
    interactive: bool
    """Whether template cards are shown there."""


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that send `out`. Raises UndeliverableError, and RetryAfter while a callback may still carry it."""
    if out.to.kind != "action":  # the callback of a press carries no reply
        passive.hold(out, now, replies_passively=app.config.replies_passively)
    if out.to.webhook:
        return robot.steps(out, app)
    suites.check_destination(out, app)
    if out.reply.op == "recall":
        return _recall(out, app.config)
    steps = _edit(out, app.config, now) if out.reply.op == "edit" else _send(out, app.config)
    return passive.deferrable(steps, replies_passively=app.config.replies_passively)


def passive_form(out: Outgoing, app: App, receipts: Sequence[Sent]) -> Outgoing | None:
    """See `parley.adapter.SupportsDeferral`."""
    return passive.passive_form(passive.WECOM, out, receipts, lambda media: _upload(media, app.config))


def outcome(call: Call, answer: Answer) -> Outcome:
    """The outcome of `call`, read from `answer`."""
    found = passive.limit_deferral(call, api.outcome(answer, CODES, call))
    if isinstance(found, Sent):
        return receivers.outcome(call, found, answer.json())
    if call.name == "update" and isinstance(found, Permanent) and not found.window_closed:
        # The code of the press has been used or has expired, or the card is refused.
        return replace(found, part="target")
    return found


def token_key(out: Outgoing, app: App) -> str | None:
    """All calls of an app share one token. Robots need none. That of a provider's app is for the calls about companies;
    the app in each company has another one.
    """
    if out.to.webhook:
        return None
    return suites.TOKEN if suites.is_provider(app.config) else "access_token"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Fetch the token of the app. Repeated calls return the same token while it is valid, for two hours."""
    config: Config = app.config
    if config.suite_id:
        return (yield from suites.token(config, pushed, now))
    answer = yield Call(
        name="token",
        method="GET",
        url=f"{config.host}/cgi-bin/gettoken",
        query={"corpid": config.corp_id, "corpsecret": config.secret},
        idempotent_for=IDEMPOTENT,
    )
    return api.read_token(answer, CODES, TOKEN_SETTINGS, now)


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """The limits of WeCom (docs: Frequency limits).

    A company may call each API 10,000 times a minute and 150,000 times an hour. A person receives 30 messages a minute
    and 1,000 an hour from an app, and 200 a minute and 10,000 a day from chats. WeCom drops further messages and
    reports them as sent.
    """
    config: Config = app.config
    if out.to.webhook:
        return robot.limits(call)
    key = f"wecom#{config.corp_id or config.suite_id}#{call.name}"
    if call.name == suites.PRE_AUTH:
        return (Bucket(key, *_INSTALL_PAGES),)
    company = Bucket(key, 10_000, 60, Limit(150_000, 3600))
    if call.name == "send_to_chat":
        return Bucket(f"wecom#{config.corp_id}#chat#{out.to.room_id}", 200, 60, Limit(10_000, 86_400)), company
    if call.name != "send":
        return (company,)
    names = receivers.persons(out.to.user_id)[:_COUNTED]
    app_key = f"wecom#{config.corp_id}#{config.agent_id}"
    return *(Bucket(f"{app_key}#{name}", 30, 60, Limit(1000, 3600)) for name in names), company


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches `media`."""
    return download_call(app.config.host, media)


def name_call(message: Message, app: App) -> Call | None:
    """See `parley.adapter.SupportsNames`. WeCom docs: Contacts > Get a member. The token is that of one company."""
    config: Config = app.config
    if message.context.tenant not in {"", config.corp_id}:
        return None
    return Call(
        name="name",
        method="GET",
        url=f"{config.host}/cgi-bin/user/get",
        auth=api.AUTH,
        query={"userid": message.sender.id},
        idempotent_for=IDEMPOTENT,
    )


def read_name(answer: Answer) -> str:
    """See `parley.adapter.SupportsNames`. A third-party app gets the id in the place of the name."""
    body = answer.json()
    name, ids = text(body.get("name")), {text(body.get("userid")), text(body.get("open_userid"))}
    return "" if name in ids else name


def read_departments(answer: Answer) -> tuple[str, ...]:
    """See `parley.adapter.SupportsNames`."""
    return tuple(filter(None, map(scalar, array(answer.json().get("department")))))


def addresses(app: App) -> Call:
    """The call that lists the addresses from which callbacks come. `read_addresses` reads its answer."""
    return api.addresses(app.config.host)


# --- send -------------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, config: Config) -> Steps:
    place = _place(out.to, config)
    segments = yield from upload_all(in_dialect(out.reply.segments, DIALECT), lambda media: _upload(media, config))
    if not any(True for _ in messages(segments)):
        raise UndeliverableError("the reply is empty")
    yield from _send_segments(segments, out, place, task=0)


def _send_segments(segments: tuple[AnySegment, ...], out: Outgoing, place: _Place, *, task: int) -> Steps:
    for part in messages(segments):
        if isinstance(part, Card):
            for message in cards.card_messages(part, _task_id(out, task), interactive=place.interactive):
                yield _message(place, message)
            task += 1
        else:
            yield _message(place, part)


def _place(to: Destination, config: Config) -> _Place:
    """The place of a group chat (`room_id`) or of persons (`user_id`: `lin|wang`, `@all`, `party:2|3`, `tag:4`)."""
    if to.room_id:
        return _Place(f"{config.host}/cgi-bin/appchat/send", {"chatid": to.room_id}, interactive=False)
    prefix, _, ids = to.user_id.rpartition(":")
    field = {"": "touser", "party": "toparty", "tag": "totag"}.get(prefix)
    if field is None or not ids:
        raise UndeliverableError(
            "the destination names no person (user_id), party: or tag:, and no group chat (room_id)"
        )
    url = f"{config.host}/cgi-bin/message/send"
    return _Place(url, {field: ids, "agentid": config.agent_id}, interactive=True)


def _message(place: _Place, message: Rendered) -> Call:
    body = {**place.body, "msgtype": message.kind, message.kind: message.content}
    name = "send_to_chat" if "chatid" in place.body else "send"
    if message.kind != "template_card":
        return Call(name=name, method="POST", url=place.url, auth=api.AUTH, json=body)
    body |= {"enable_duplicate_check": 1, "duplicate_check_interval": _DUPLICATE_CHECK}
    return Call(name=name, method="POST", url=place.url, auth=api.AUTH, json=body, idempotent_for=_DUPLICATE_CHECK)


def _task_id(out: Outgoing, number: int) -> str:
    """The task id of a card: unique within the app, and part of every click on the card."""
    name = digest(out.id, *out.dropped)[:32] if out.dropped else out.id
    return f"{name}@{number}" if number else name


def _upload(media: AnyMedia, config: Config) -> Call:
    return upload_call(f"{config.host}/cgi-bin/media/upload", media, media_type_of(media), {}, with_token=True)


# --- update and recall ------------------------------------------------------------------------------------------------


def _recall(out: Outgoing, config: Config) -> Steps:
    if not out.reply.target:
        raise UndeliverableError("recall needs the target's message id")
    yield _change("recall", f"{config.host}/cgi-bin/message/recall", {"msgid": out.reply.target})


def _edit(out: Outgoing, config: Config, now: float) -> Steps:
    """Update the card that was clicked: replace it by another card, or its buttons by a text.

    Segments that have no room there are sent as messages after the update. Without a click, or after the right to
    change the card has ended, the reply is a new message.
    """
    code = _response_code(out, config, now)
    if not code:
        yield from _send(out, config)
        return
    body: dict[str, Any] = {"userids": [out.to.user_id], "agentid": config.agent_id, "response_code": code}
    segments = yield from upload_all(in_dialect(out.reply.segments, DIALECT), lambda media: _upload(media, config))
    if segments and isinstance(segments[0], Card) and segments[0].buttons:
        body["template_card"] = cards.replacement(segments[0], _task_id(out, 0))
        segments = (*cards.others(segments[0]), *segments[1:])
    else:
        label, segments = _label(segments)
        body["button"] = {"replace_name": label}
    # A label before messages is a preview of them. A card is a part of the reply, and its code allows one update.
    shows = "template_card" in body or not segments
    yield _change(
        "update",
        f"{config.host}/cgi-bin/message/update_template_card",
        body,
        idempotent_for=RESPONSE_CODE_LIFETIME if shows else IDEMPOTENT,
        edits=shows,
    )
    yield from _send_segments(segments, out, _place(out.to, config), task=1)


def _label(segments: tuple[AnySegment, ...]) -> tuple[str, tuple[AnySegment, ...]]:
    """The text in the place of the buttons, and the segments that it does not show. Raises UndeliverableError.

    A card stays in one piece: the text shows all of it or none of it.
    """
    text = "".join(map(_button_text, segments)).strip()
    if not text:
        raise UndeliverableError("the reply is empty")
    line = text.split("\n")[0]
    if isinstance(segments[0], Card):
        is_whole = all(isinstance(segment, Text | Markdown) or _is_bare(segment) for segment in segments)
        whole = " ".join(text.split())
        return (whole, ()) if is_whole and len(whole) <= _LABEL else ("…", segments)
    is_whole = line == text and all(isinstance(segment, Text | Markdown) for segment in segments)
    if len(line) > _LABEL:
        return f"{line[: _LABEL - 1]}…", segments
    return line, () if is_whole else segments


def _is_bare(segment: AnySegment) -> bool:
    return isinstance(segment, Card) and not (
        segment.image or segment.images or segment.buttons or segment.selects or segment.form
    )


def _button_text(segment: AnySegment) -> str:
    match segment:
        case Markdown(text=text):
            return untagged(text)
        case Card(title=title):
            return "\n".join(filter(None, (title, untagged_text(segment))))
        case _:
            return plain_text((segment,))


def _change(
    name: str, url: str, body: dict[str, Any], *, idempotent_for: float = IDEMPOTENT, edits: bool = False
) -> Call:
    return Call(name=name, method="POST", url=url, auth=api.AUTH, json=body, idempotent_for=idempotent_for, edits=edits)


def _response_code(out: Outgoing, config: Config, now: float) -> str:
    """The `response_code` of the click that `out` answers. It allows one update of the card.

    Empty if `out` answers no click on that card, if the right to change the card has ended, or if the click came in
    under another `secret`.
    """
    to = out.to
    if to.kind != "action" or not to.reply_token or out.reply.target not in {"", to.message_id}:
        return ""
    if now >= to.reply_token_expires:
        return ""
    try:
        return unseal(config.seals_with, to.reply_token)
    except ValueError:
        return ""
