"""Outcomes of API calls. Discord docs: Opcodes and Status Codes › JSON Error Codes; Rate Limits."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from parley.adapter import NOTHING, Answer, Call, Outcome, Part, Permanent, Sent, TokenRejected, Transient, Unknown
from parley.errors import RetryAfter
from parley.platforms.discord.limits import retry_after
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer, mapping, mappings, text

ANSWER, EDIT, RECALL, REACT = "answer", "edit", "recall", "react"
THREAD, OPEN, SEND, DOWNLOAD = "thread", "open", "send", "download"
"""Names of the calls whose answers need rules of their own: replace "thinking...", edit or delete a message or react to
it, open a thread or a direct channel, send a message to a channel, and download a file, which is not an API call."""
CONTINUED = "continued"
"""`Call.note` of a message in a direct channel after messages that the person has seen elsewhere, with an interaction
token. Only their receipts tell of them, so that another form of the reply would repeat them: no part is named."""

_ALREADY_ANSWERED = 40060
_UNKNOWN_CHANNEL, _UNKNOWN_MESSAGE, _UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION = 10003, 10008, 10015, 10062
_INVALID_WEBHOOK_TOKEN, _TOO_MANY_FOLLOW_UPS = 50027, 40094
_THREAD_EXISTS = 160004
_BOT_TOKEN = (40001, 50014, 50025)
_LIMITED = (20016, 20028, 20029, 30046, 40003, 40062)
"""Slow mode, write limits, edits of old messages, direct channels opened too fast, too many uses."""
_FORM = (50035, 50006, 40005, 50045, 30015, 220001, 220002, 220003)
"""Invalid form, empty, too large, or too many attachments. Plain text may be accepted."""
_TOO_LARGE = (40005, 50045, 30015)
_NO_HISTORY = 160002
"""The bot may not read the history, so it cannot quote."""
_NO_PRIVATE = (50007, 50278, 10013)
"""The person accepts no direct messages from the bot, or is unknown."""
_NO_THREAD = (50083, 160005, _UNKNOWN_CHANNEL, 50001, 50013, 50024)
"""The thread is archived, locked or deleted, or the bot may not write to it."""
_NO_TARGET = (_UNKNOWN_MESSAGE, 50005, 50021, *_NO_THREAD)
"""The message to edit is deleted, another author's or a system message, or the bot cannot reach its channel."""
_REACTIONS = {
    10014: "unknown emoji",
    30010: "too many kinds of reactions",
    90001: "the author of the message has blocked the bot",
}
"""Why a reaction was refused."""
_FIELDS: dict[str, Part] = {"message_reference": "quote", "components": "buttons"}
"""Fields of a message that `errors` names, and the parts of the reply that are in them."""
_BLOCKED = 40333
_OVERLOADED = 130000
_MOST_FIELDS, _DEEPEST = 3, 8
_TOKEN_DELAY = 10.0
"""Seconds after a deferred response in which Discord may not know its token yet (discord-api-docs issue 7220)."""


def outcome(call: Call, answer: Answer) -> Outcome:
    """See `parley.adapter.Outbound.outcome`."""
    if 200 <= answer.status < 300:
        return _sent(call, answer)
    if call.name == DOWNLOAD:
        return _no_file(answer.status)
    body = answer.json()
    code = integer(body.get("code")) or 0
    reason = f"{answer.status} {code} {_REACTIONS.get(code, '')}".strip()
    done = _done(call, code)
    if done is not None:
        return done
    if answer.status == 429 or code in _LIMITED:
        return RetryAfter(retry_after(answer), reason)
    if code == _BLOCKED or (answer.status == 403 and not body):
        # Cloudflare blocks the IP address, because of this app or of another program with the same address.
        return RetryAfter(retry_after(answer), f"{reason} blocked")
    if call.auth is None:
        refused = _interaction_refused(call, answer, code, reason)
        if refused is not None:
            return refused
    elif answer.status == 401 or code in _BOT_TOKEN:
        return TokenRejected(reason)
    return _failed(call, answer, code, reason)


def _done(call: Call, code: int) -> Sent | None:
    """The receipt if the refusal says that nothing is left to do."""
    if call.name == ANSWER and code == _UNKNOWN_MESSAGE:  # somebody has deleted "thinking..."
        return Sent(data=NOTHING)
    if call.name in (RECALL, REACT) and code in (_UNKNOWN_MESSAGE, _UNKNOWN_CHANNEL):
        return Sent(data=NOTHING)
    if code == _ALREADY_ANSWERED:
        return Sent()
    return Sent(id=call.note) if call.name == THREAD and code == _THREAD_EXISTS else None


def _sent(call: Call, answer: Answer) -> Sent:
    id_ = snowflake(answer.json().get("id"))
    if call.name == RECALL:
        return Sent(data=NOTHING)
    return Sent(id=id_, data={"channel": id_} if call.name == OPEN else {})


def _no_file(status: int) -> Outcome:
    return Transient(f"{status}") if status >= 500 else Permanent(f"{status}: the file is no longer there")


def _interaction_refused(call: Call, answer: Answer, code: int, reason: str) -> Outcome | None:
    """The outcome if Discord refused the interaction token; None if it refused something else."""
    if code == _UNKNOWN_WEBHOOK and _is_early(call, answer):
        return RetryAfter(1, f"{reason}: Discord does not know the deferred response yet")
    refusals = (_UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION, _INVALID_WEBHOOK_TOKEN, _TOO_MANY_FOLLOW_UPS, *_BOT_TOKEN)
    if code in refusals or answer.status == 401:
        return Permanent(reason, reply_token=True)
    return None


def _is_early(call: Call, answer: Answer) -> bool:
    """Whether the answer came within seconds of the deferred response (`call.note`), by the clock of the answer."""
    try:
        at = parsedate_to_datetime(answer.headers.get("Date", ""))
        deferred = float(call.note)
    except (ValueError, TypeError):
        return False
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) <= datetime.fromtimestamp(deferred + _TOKEN_DELAY, UTC)


def _failed(call: Call, answer: Answer, code: int, reason: str) -> Outcome:
    if code == _OVERLOADED:
        return Transient(reason)
    if answer.status >= 500 or answer.status == 408:
        return Unknown(reason)
    return Permanent(_explained(answer, reason), part=_refused_part(call, answer, code))


def _refused_part(call: Call, answer: Answer, code: int) -> Part:
    """The part of the reply that was refused. `call.note` says which part the place of the message stands for."""
    if call.note == CONTINUED:
        return ""
    if call.name == THREAD:
        return "thread"
    if call.name == EDIT and code in _NO_TARGET:
        return "target"
    if call.name in (OPEN, SEND) and call.note == "private" and (code in _NO_PRIVATE or call.name == OPEN):
        return "private"
    if call.name == SEND and call.note == "thread" and code in _NO_THREAD:
        return "thread"
    if code == _NO_HISTORY and _quotes(call):
        return "quote"
    if code in _TOO_LARGE:
        return "media" if call.upload else "form"
    if code not in _FORM and not (answer.status == 400 and not code):
        return ""
    errors = mapping(answer.json().get("errors"))
    found: set[Part] = {_FIELDS.get(field, "form") for field in errors}
    if found == {"form"} and set(errors) == {"embeds"} and call.upload is None and _only_pictures(errors):
        return "media"
    return found.pop() if len(found) == 1 else "form"


def _quotes(call: Call) -> bool:
    """Whether the message of `call` is sent as a reply to another one."""
    form = call.upload.fields.get("payload_json", "") if call.upload else ""
    return "message_reference" in (call.json or {}) or '"message_reference"' in form


def _only_pictures(errors: Mapping[str, Any]) -> bool:
    """Whether only the pictures of embeds were refused."""
    embeds = [mapping(embed) for embed in mapping(errors.get("embeds")).values()]
    return bool(embeds) and all(set(embed) <= {"image", "thumbnail"} for embed in embeds)


def _explained(answer: Answer, reason: str) -> str:
    """`reason` with the fields that Discord refused, Discord's code for each, and the limit if it is one of length."""
    fields = list(filter(None, _field_errors(mapping(answer.json().get("errors")), ())))[:_MOST_FIELDS]
    return f"{reason}: {', '.join(fields)}" if fields else reason


def _field_errors(errors: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The path and code of each field error. Discord docs: Reference › Error Messages.

    The words of an error about a length name the limit. Those of other errors may repeat a value, and are left out.
    """
    for error in mappings(errors.get("_errors")):
        code = text(error.get("code"))
        words = text(error.get("message")) if "LENGTH" in code or "SIZE" in code else ""
        yield f"{'.'.join(path)[:100]} {code[:60]} {words[:100]}".strip()
    if len(path) < _DEEPEST:
        for name, inner in errors.items():
            yield from _field_errors(mapping(inner), (*path, str(name)))
