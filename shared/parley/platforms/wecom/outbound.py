"""Replies of WeCom apps: send, change a card, recall, push (WeCom docs: Send application messages).

`enable_duplicate_check` drops, with a code of success, any message whose JSON is the same as that of one before. A
bot that says "done" twice means it twice, so nothing covers a repeated text: one whose fate is not known is reported as
UNKNOWN, or sent again if the app says so. A template card has a task id of its own in it: only its own repetition is
the same, and is covered.
"""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Bucket,
    Call,
    Outcome,
    Profile,
    Sent,
    Steps,
    TokenSteps,
    UndeliverableError,
)
from parley.crypto import unseal
from parley.model import AnyMedia, AnySegment, Card, Destination, Markdown, Outgoing, Text, plain_text
from parley.platforms.tencent import api, media, passive
from parley.platforms.tencent.plain import bare, unmarked
from parley.platforms.wecom import cards, robot
from parley.platforms.wecom.codes import CODES, WRONG
from parley.platforms.wecom.config import Config
from parley.platforms.wecom.render import VIDEO, Rendered, media_type_of, parts

PROFILE = Profile(retry_for=3600)
read_addresses = api.addresses

_CHECKED = 14_400
"""Seconds in which a repetition is dropped: the most that WeCom allows."""
_ON_THE_WAY = 60
_LABEL = 30
"""Characters that a button shows; a longer text goes out as a message too."""


class _Place(NamedTuple):
    """Where the next message goes."""

    url: str
    body: dict[str, Any]
    interactive: bool
    """Whether template cards are shown there."""


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that say `out`. Raises UndeliverableError, and RetryAfter where a callback may still answer with it."""
    passive.hold(out, app.config.reply_mode, now)
    if out.to.webhook:
        return robot.steps(out, app)
    match out.reply.op:
        case "recall":
            return _recall(out, app.config)
        case "edit":
            return _edit(out, app.config, now)
        case "send":
            return _send(out, app.config)


def outcome(call: Call, answer: Answer) -> Outcome:
    """What `answer` means for `call`."""
    return api.outcome(call, answer, CODES)


def token_key(out: Outgoing, app: App) -> str | None:
    """One token serves all of an app's calls; a robot has none."""
    return None if out.to.webhook else "access_token"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """The token of the app's secret. Within its two hours the same one comes back: asking twice does no harm."""
    config: Config = app.config
    answer = yield Call(
        name="token",
        method="GET",
        url=f"{config.host}/cgi-bin/gettoken",
        query={"corpid": config.corp_id, "corpsecret": config.secret},
        idempotent_for=IDEMPOTENT,
    )
    return api.read_token(answer, CODES, WRONG, now)


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """WeCom docs: Frequency limits. Each API 10,000 calls a minute and 150,000 an hour for a company; a person sees 30
    messages a minute and 1,000 an hour of an app, and never hears of the others: the API calls them sent."""
    config: Config = app.config
    if out.to.webhook:
        return robot.limits(call)
    # 7,000 at once and 2,383 a minute behind them keep both limits; 12 and 16 a minute do for a person.
    whole = Bucket(f"wecom#{config.corp_id}#{call.name}", 150_000, 3600, burst=7000)
    if call.name == "send_to_chat":
        return Bucket(f"wecom#{config.corp_id}#chat#{out.to.room_id}", 200, 60), whole
    person = out.to.user_id.lower()
    if call.name != "send" or not person or any(mark in person for mark in "|:@"):
        # Who is in a department or a tag is not known here.
        return (whole,)
    return Bucket(f"wecom#{config.corp_id}#{config.agent_id}#{person}", 30, 60, burst=12), whole


def download(what: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches `what`."""
    return media.download(app.config.host, what)


def addresses(app: App) -> Call:
    """The call that lists where callbacks come from, for an allow-list; `read_addresses` reads its answer."""
    config: Config = app.config
    return Call(
        name="addresses",
        method="GET",
        url=f"{config.host}/cgi-bin/getcallbackip",
        auth=api.AUTH,
        idempotent_for=IDEMPOTENT,
    )


# --- send -------------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, config: Config) -> Steps:
    if not any(True for _ in parts(out.reply.segments)):
        raise UndeliverableError("the reply is empty")
    yield from _messages(out.reply.segments, out, config, task=0)


def _messages(segments: tuple[AnySegment, ...], out: Outgoing, config: Config, *, task: int) -> Steps:
    place = _place(out.to, config)
    for part in parts(segments):
        if isinstance(part, Card):
            for message in cards.messages(part, _task(out, task), interactive=place.interactive):
                yield _message(place, message)
            task += 1
        else:
            yield _message(place, part if isinstance(part, Rendered) else (yield from _uploaded(part, config)))


def _place(to: Destination, config: Config) -> _Place:
    """A group chat of the app's own; else a person (or several, with `|`), `@all`, `party:2|3`, `tag:4`."""
    if to.room_id:
        return _Place(f"{config.host}/cgi-bin/appchat/send", {"chatid": to.room_id}, interactive=False)
    sort, _, ids = to.user_id.rpartition(":")
    field = {"": "touser", "party": "toparty", "tag": "totag"}.get(sort)
    if field is None or not ids:
        raise UndeliverableError(
            "the destination names no person (user_id), party: or tag:, and no group chat (room_id)"
        )
    url = f"{config.host}/cgi-bin/message/send"
    return _Place(url, {field: ids, "agentid": config.agent_id}, interactive=True)


def _message(place: _Place, said: Rendered) -> Call:
    body = {**place.body, "msgtype": said.kind, said.kind: said.content}
    name = "send_to_chat" if "chatid" in place.body else "send"
    if said.kind != "template_card":
        return Call(name=name, method="POST", url=place.url, auth=api.AUTH, json=body)
    body |= {"enable_duplicate_check": 1, "duplicate_check_interval": _CHECKED}
    return Call(
        name=name, method="POST", url=place.url, auth=api.AUTH, json=body, idempotent_for=_CHECKED - _ON_THE_WAY
    )


def _task(out: Outgoing, number: int) -> str:
    """A card's task id: unique within the app, told back with each click."""
    return f"{out.id}@{number}" if number else out.id


def _uploaded(what: AnyMedia, config: Config) -> Generator[Call, Sent, Rendered]:
    sort = media_type_of(what)
    key = what.key
    if not key:
        url = f"{config.host}/cgi-bin/media/upload"
        sent = yield media.upload(url, what, sort, lambda sort: {"type": sort.name}, token=True)
        key = sent.id
    more = {"title": what.name, "description": ""} if sort is VIDEO and what.name else {}
    return Rendered(sort.name, {"media_id": key, **more})


# --- change and recall ------------------------------------------------------------------------------------------------


def _recall(out: Outgoing, config: Config) -> Steps:
    if not out.reply.target:
        raise UndeliverableError("recall needs the target's message id")
    yield _change("recall", f"{config.host}/cgi-bin/message/recall", {"msgid": out.reply.target})


def _edit(out: Outgoing, config: Config, now: float) -> Steps:
    """Change the card that was clicked: into another card, or into itself with words in the place of its buttons.

    What that has no room for goes out as messages after it.
    """
    body: dict[str, Any] = {"userids": [out.to.user_id], "agentid": config.agent_id}
    body["response_code"] = _response_code(out, config, now)
    segments = out.reply.segments
    whole = "".join(map(_on_button, segments)).strip()
    if segments and isinstance(segments[0], Card) and segments[0].buttons:
        body["template_card"] = cards.replacement(segments[0], _task(out, 0))
        segments = segments[1:]
    elif whole:
        line = whole.split("\n")[0]
        body["button"] = {"replace_name": line if len(line) <= _LABEL else f"{line[: _LABEL - 1]}…"}
        if line == whole and len(line) <= _LABEL and all(isinstance(one, Text | Markdown) for one in segments):
            segments = ()
    else:
        raise UndeliverableError("the reply is empty")
    yield _change("update", f"{config.host}/cgi-bin/message/update_template_card", body)
    yield from _messages(segments, out, config, task=1)


def _on_button(segment: AnySegment) -> str:
    return unmarked(segment.text, bare) if isinstance(segment, Markdown) else plain_text((segment,))


def _change(name: str, url: str, body: dict[str, Any]) -> Call:
    return Call(name=name, method="POST", url=url, auth=api.AUTH, json=body, idempotent_for=IDEMPOTENT)


def _response_code(out: Outgoing, config: Config, now: float) -> str:
    """The right to change the card, which came with the click that is answered."""
    to = out.to
    if to.kind != "action" or not to.reply_token or out.reply.target not in {"", to.message_id}:
        raise UndeliverableError("WeCom changes a card only in answer to a click on it")
    if now >= to.reply_token_expires:
        raise UndeliverableError("the right to change the card has ended")
    try:
        return unseal(config.secret, to.reply_token)
    except ValueError as error:
        raise UndeliverableError("the click came in under another `secret`") from error
