"""What Discord's answers mean. Discord docs: Opcodes and Status Codes › JSON Error Codes; Rate Limits."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from parley.adapter import (
    Answer,
    Call,
    Outcome,
    Permanent,
    Sent,
    TokenRejected,
    Transient,
    Unknown,
)
from parley.errors import RetryAfter
from parley.platforms.discord.routes import retry_after
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer

RECALL, THREAD, OPEN, DOWNLOAD = "recall", "thread", "open", "download"
"""Names of calls whose answers are read in a way of their own: delete a message, open a thread, open a direct channel,
and a file's address, where no API answers."""

_ALREADY_ANSWERED = 40060
_UNKNOWN_MESSAGE, _UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION = 10008, 10015, 10062
_WEBHOOK_TOKEN, _FOLLOW_UPS = 50027, 40094
_THREAD_EXISTS = 160004
_CREDENTIAL = (40001, 50014, 50025)
_SLOWER = (20016, 20028, 20029, 30046, 40003, 40062)
"""Slow mode, write limits, edits of old messages, direct channels opened too fast, too many uses."""
_FORM = (50035, 50006, 40005, 50045, 30015, 220001, 220002, 220003)
"""Invalid form, empty, too large, too many attachments: plain text may go through."""
_BLOCKED = 40333
_OVERLOADED = 130000
_SETTLING = 10.0
"""Seconds after a promise to answer in which Discord may not know its token yet (discord-api-docs issue 7220)."""


def outcome(call: Call, answer: Answer) -> Outcome:
    """See `parley.adapter.Outbound.outcome`."""
    if 200 <= answer.status < 300:
        return _done(call, answer)
    if call.name == DOWNLOAD:
        return (
            Transient(f"{answer.status}") if answer.status >= 500 else Permanent(f"{answer.status}: no file there now")
        )
    body = answer.json()
    code = integer(body.get("code")) or 0
    reason = f"{answer.status} {code}"
    if code == _ALREADY_ANSWERED or (call.name == RECALL and code == _UNKNOWN_MESSAGE):
        return Sent()
    if call.name == THREAD and code == _THREAD_EXISTS:
        return Sent(id=call.note)
    if answer.status == 429 or code in _SLOWER:
        return RetryAfter(retry_after(answer), reason)
    if code == _BLOCKED or (answer.status == 403 and not body):
        # Cloudflare has shut the door, for us or for somebody with the same address.
        return RetryAfter(retry_after(answer), f"{reason} blocked")
    if call.auth is None:
        refused = _of_grant(call, answer, code, reason)
        if refused is not None:
            return refused
    elif answer.status == 401 or code in _CREDENTIAL:
        return TokenRejected(reason)
    return _failed(answer.status, code, reason)


def _done(call: Call, answer: Answer) -> Sent:
    id_ = snowflake(answer.json().get("id"))
    return Sent(id=id_, data={"channel": id_} if call.name == OPEN else {})


def _of_grant(call: Call, answer: Answer, code: int, reason: str) -> Outcome | None:
    """What a refusal means where an interaction's token was used; None if it is none of the token."""
    if code == _UNKNOWN_WEBHOOK and _settling(call, answer):
        return RetryAfter(1, f"{reason}: the promise to answer is not known yet")
    dead = (_UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION, _WEBHOOK_TOKEN, _FOLLOW_UPS, *_CREDENTIAL)
    if code in dead or answer.status == 401:
        return Permanent(reason, reply_token=True)
    return None


def _settling(call: Call, answer: Answer) -> bool:
    """Whether the answer was given within seconds of the promise, by the clock of the answer."""
    try:
        at = parsedate_to_datetime(answer.headers.get("Date", ""))
        promised = float(call.note)
    except (ValueError, TypeError):
        return False
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) <= datetime.fromtimestamp(promised + _SETTLING, UTC)


def _failed(status: int, code: int, reason: str) -> Outcome:
    if code == _OVERLOADED:
        return Transient(reason)
    if status >= 500 or status == 408:
        return Unknown(reason)
    return Permanent(reason, form=code in _FORM or (status == 400 and not code))
