"""Outcomes of API calls (Feishu docs: Server error codes, Frequency control, Send message)."""

import re

from parley.adapter import NOTHING, Answer, Call, Outcome, Part, Permanent, Sent, TokenRejected, Transient, Unknown
from parley.errors import RetryAfter
from parley.platforms.feishu.values import Object, unix_seconds
from parley.untrusted import mapping, scalar

EDIT, UPDATE, RECALL, REACT = "edit", "update", "recall", "react"
"""Names of the calls that change an earlier message: a text or post, a card, any message; and add a reaction to it."""
CARD_CREATE, CARD_TEXT, CARD_UPDATE, CARD_CLOSE = "card_create", "card_text", "card_update", "card_close"
CARD_RENEW, DISCARD = "card_renew", "discard"
"""Names of the calls on a card entity (Feishu docs: CardKit), and of the one that removes its message."""
_TOKEN = frozenset({99991661, 99991663, 99991664, 99991665, 99991668, 99991671, 99991677})
"""The token is missing, invalid, expired or of the wrong type."""
CHAT_LIMITED = frozenset({230020, 11233})
"""Rate limit of one chat or person ("chat rate limit", "create message chat trigger rate limit")."""
_LIMITED = CHAT_LIMITED | {99991400, 11232, 11247}
"""Rate limit of the API, of a chat or person, or of a webhook. Older APIs return them with HTTP 400, not 429."""
_SENDING = frozenset({230049, 231015})
"""The message is still being sent, or the same reaction is being added."""
_FORM = frozenset({230001, 230025, 230055, 230099, 99992402, 10002, 11310, 11311, 100000, 100030, 200000, 9499})
"""Bad parameter, too long, wrong type, or an invalid card. A form with less may be accepted."""
_UPLOAD_FORM = range(234000, 235000)
"""The media are refused: too large, empty, or of another format."""
_GONE = frozenset({230011, 230110})
"""The message is already recalled or deleted."""
_NOTHING_TO_REACT_TO = _GONE | {231003, 231004, 231005}
"""The message, its chat or its topic is gone (Feishu docs: Delete reaction, error codes)."""
_UNREADABLE = _GONE | {230050, 230111, 99992354}
"""The message is recalled, deleted, invisible to the bot, about to vanish, or unknown. It can be neither replied to nor
edited."""
_UNEDITABLE = _UNREADABLE | {230017, 230031, 230054, 230071, 230072, 230073, 230074, 230075}
"""The message cannot be edited: it is another sender's, a card older than 14 days, of another type, has been edited 20
times, is in an encrypted group, or is older than the administrator allows (Feishu docs: Edit message, Update card)."""
_NO_THREAD = frozenset({230019, 230071})
"""The topic is missing, or the chat allows none."""
_NUMBER_USED = frozenset({300317, 200770})
"""The card has a change with this number, or this key: it is this one, whose first answer was lost."""
_IN_INTERACTION = 200810
"""Somebody presses something in the card at this moment."""
_CARD_FAILED = 300120
_UNREACHABLE = frozenset({230013, 230029, 230034, 230035, 230038, 230053})
"""The person cannot be written to directly: not in the app's availability, resigned, or has stopped the bot."""
_TOO_MANY = "too many request"
_PARTS: tuple[tuple[re.Pattern[str], Part], ...] = (
    (re.compile(r"\b(?:im(?:g|age)_key|img|image)\b"), "media"),
    (re.compile(r"\b(?:button|action|actions|behaviors?|url|default_url|link|href)\b"), "buttons"),
    (re.compile(r"\b(?:mentions?|at user|user_id|open_id)\b|<at\b"), "mention"),
)
"""Words in the message of an error about the form, and the part that they mean. Feishu documents no list of them."""
_REASON_LENGTH = 200


def outcome(call: Call, answer: Answer) -> Outcome:
    """See `parley.adapter.Outbound.outcome`.

    The code in the body decides, not the HTTP status: old APIs return 400 for a rate limit and 200 for an error.
    """
    body = answer.json()
    code = body.get("code", body.get("StatusCode"))
    if not isinstance(code, int) or isinstance(code, bool):
        return _without_code(answer)
    if code == 0:
        return Sent(id=call.note) if call.name == CARD_UPDATE else _sent(body)
    reason = f"{code} {scalar(body.get('msg'))}"[:_REASON_LENGTH]
    if code in _TOKEN:
        return TokenRejected(reason)
    if code in _LIMITED or answer.status == 429 or _TOO_MANY in reason.lower():
        return RetryAfter(_retry_after(answer), reason)
    if (code in _GONE and call.name == RECALL) or (code in _NOTHING_TO_REACT_TO and call.name == REACT):
        return Sent()
    return _refused(call, answer, code, reason)


def _retry_after(answer: Answer) -> float:
    """Seconds to wait after a rate limit: at most 600, and 1 if the answer has no readable header."""
    for name in ("x-ogw-ratelimit-reset", "retry-after"):
        if seconds := unix_seconds(answer.headers.get(name, "")):
            return min(seconds, 600)
    return 1


def _refused(call: Call, answer: Answer, code: int, reason: str) -> Outcome:
    if code in _SENDING or (code == _IN_INTERACTION and call.name == CARD_UPDATE):
        return Transient(reason)
    if call.name in (CARD_UPDATE, CARD_CLOSE, DISCARD):
        return _of_card(call, answer, code, reason)
    if part := _part(call, code, reason):
        return Permanent(reason, part=part)
    if answer.status >= 500:
        # An internal error of the platform. It may have occurred before or after the message was sent.
        return Unknown(reason)
    return Permanent(reason)


def _of_card(call: Call, answer: Answer, code: int, reason: str) -> Outcome:
    """The outcome of a call that ends a draft. `Call.note` of the update is the id of the message, if it is known. A
    card that cannot be closed closes itself ten minutes later.
    """
    if call.name == CARD_UPDATE and code not in _NUMBER_USED:
        is_unknown = code == _CARD_FAILED or answer.status >= 500
        return Unknown(reason) if is_unknown else Permanent(reason, part="target")
    return Sent(id=call.note) if call.name == CARD_UPDATE else Sent(data=NOTHING)


def _part(call: Call, code: int, reason: str) -> Part:
    """The part of the reply that the platform refuses; empty if it refuses all of it."""
    if call.upload is not None:
        return "media" if code in _FORM or code in _UPLOAD_FORM else ""
    names_message = code in _FORM and "message_id" in reason
    if call.name in (EDIT, UPDATE) and (code in _UNEDITABLE or names_message):
        return "target"
    if call.name == "reply":
        if code in _UNREADABLE or names_message:
            return "quote"
        if code in _NO_THREAD:
            return "thread"
    if call.name == "send" and code in _UNREACHABLE and call.query.get("receive_id_type", "chat_id") != "chat_id":
        return "private"
    if code not in _FORM:
        return ""
    for words, part in _PARTS:
        if words.search(reason):
            return part
    return "form"


def _sent(body: Object) -> Sent:
    data = mapping(body.get("data"))
    if key := scalar(data.get("image_key")) or scalar(data.get("file_key")):
        return Sent(id=key, data={"key": key})
    return Sent(id=scalar(data.get("message_id")) or scalar(data.get("card_id")))


def _without_code(answer: Answer) -> Outcome:
    """The outcome of an answer that is not the API's: an error page of a gateway, or an empty body."""
    reason = f"HTTP {answer.status} without a code"
    if answer.status == 429:
        return RetryAfter(_retry_after(answer), reason)
    if 400 <= answer.status < 500 and answer.status != 408:
        return Permanent(reason)
    return Unknown(reason)
