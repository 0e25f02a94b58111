"""Outcomes of API calls. Discord docs: Opcodes and Status Codes › JSON Error Codes; Rate Limits."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from parley.adapter import Answer, Call, Outcome, Permanent, Sent, TokenRejected, Transient, Unknown
from parley.errors import RetryAfter
from parley.platforms.discord.limits import retry_after
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer

RECALL, THREAD, OPEN, DOWNLOAD = "recall", "thread", "open", "download"
"""Names of the calls whose answers need rules of their own: delete a message, open a thread, open a direct channel, and
download a file, which is not an API call."""

_ALREADY_ANSWERED = 40060
_UNKNOWN_MESSAGE, _UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION = 10008, 10015, 10062
_INVALID_WEBHOOK_TOKEN, _TOO_MANY_FOLLOW_UPS = 50027, 40094
_THREAD_EXISTS = 160004
_BOT_TOKEN = (40001, 50014, 50025)
_LIMITED = (20016, 20028, 20029, 30046, 40003, 40062)
"""Slow mode, write limits, edits of old messages, direct channels opened too fast, too many uses."""
_FORM = (50035, 50006, 40005, 50045, 30015, 220001, 220002, 220003)
"""Invalid form, empty, too large, or too many attachments. Plain text may be accepted."""
_BLOCKED = 40333
_OVERLOADED = 130000
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
    reason = f"{answer.status} {code}"
    if code == _ALREADY_ANSWERED or (call.name == RECALL and code == _UNKNOWN_MESSAGE):
        return Sent()
    if call.name == THREAD and code == _THREAD_EXISTS:
        return Sent(id=call.note)
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
    return _failed(answer.status, code, reason)


def _sent(call: Call, answer: Answer) -> Sent:
    id_ = snowflake(answer.json().get("id"))
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


def _failed(status: int, code: int, reason: str) -> Outcome:
    if code == _OVERLOADED:
        return Transient(reason)
    if status >= 500 or status == 408:
        return Unknown(reason)
    return Permanent(reason, part="form" if code in _FORM or (status == 400 and not code) else "")
