"""The outcome of a person's message for the page: answered, or the reason why not."""

from collections.abc import Mapping
from typing import Any

from playground.platforms.model import Delivery

FINAL = frozenset({"answered", "silent", "failed", "unknown"})
"""Outcomes that do not change any more."""
_NOT_DONE = 504
"""The response of a callback that waits for a passive reply, if the bot has not decided yet."""
_TO_DECIDE = 5
"""Seconds that a bot usually needs at most."""
_TO_DELIVER = 1.5
"""Seconds that a reply usually needs at most. One that takes longer waits."""


def outcome_of(delivery: Delivery | None, record: Mapping[str, Any], now: float) -> dict[str, Any]:
    """`{"kind", "reason"}`, with `kind` as below. `record`: the journal's; empty if it cannot be read.

    | kind | meaning |
    |---|---|
    | `not_notified` | the platform does not send the message to the bot |
    | `refused` | the callback rejected it, or did not respond; `reason` is the response |
    | `running` | no failure so far |
    | `slow` | the bot has not decided for some seconds |
    | `crashed` | the handler failed; `reason` is the error |
    | `silent` | the bot returned no reply |
    | `waiting` | a reply waits; `reason` says for what |
    | `failed` | the platform rejected a reply; `reason` is its error |
    | `unknown` | the platform may or may not have got a reply |
    | `answered` | all replies are on the platform |
    """
    if delivery is None:
        return _outcome("not_notified")
    if record and record["decided"] is not None:
        return _replied(record, now)
    if record and record["reason"]:
        return _outcome("crashed", record["reason"])
    last = delivery.attempts[-1] if delivery.attempts else None
    waiting = last is not None and last.status == _NOT_DONE and delivery.state == "retrying"
    if last is not None and delivery.state in ("failed", "retrying") and not waiting:
        return _outcome("refused", last.error or f"{last.status} {last.body[:200]}".strip())
    return _outcome("slow" if waiting or now - delivery.at > _TO_DECIDE else "running")


def _replied(record: Mapping[str, Any], now: float) -> dict[str, Any]:
    replies = record["replies"]
    for state in ("FAILED", "UNKNOWN"):
        for reply in replies:
            if reply["state"] == state:
                return _outcome(state.lower(), reply["reason"])
    waiting = [reply for reply in replies if reply["state"] != "SENT"]
    if not waiting:
        # A recall removes a message, for example Discord's "thinking...": the person sees no answer.
        return _outcome("silent" if all(reply["reply"]["op"] == "recall" for reply in replies) else "answered")
    reason = next((reply["reason"] for reply in waiting if reply["reason"]), "")
    late = any(now - reply["created"] > _TO_DELIVER for reply in waiting)
    return _outcome("waiting", reason) if reason or late else _outcome("running")


def _outcome(kind: str, reason: str = "") -> dict[str, Any]:
    return {"kind": kind, "reason": reason}
