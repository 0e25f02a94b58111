"""The receivers of a message, and those whom it did not reach (WeCom docs: Send application messages).

WeCom reports success if it reached one receiver at least, and names the others in the answer. For some of these fields
it reports success even if it reached no receiver.
"""

from collections.abc import Mapping
from typing import Any

from parley.adapter import Call, Outcome, Permanent, Sent
from parley.untrusted import array, mapping, text

_UNREACHED = {
    "invaliduser": ("touser", "userids"),
    "unlicenseduser": ("touser", "userids"),
    "invalidparty": ("toparty",),
    "invalidtag": ("totag",),
}
"""Fields of the answer, and the fields of the body whose receivers they name."""
_REPORTED = 300
"""Characters of the report."""


def persons(user_id: str) -> list[str]:
    """The persons that a destination names, in lower case. The members of a department or a tag are not known here.

    A userid may contain `@`, `.`, `-` and `_`.
    """
    if user_id.lower() == "@all" or ":" in user_id:
        return []
    return list(dict.fromkeys(name for name in user_id.lower().split("|") if name))


def outcome(call: Call, sent: Sent, body: Mapping[str, Any]) -> Outcome:
    """`sent`, with the receivers that were not reached in `data["unreached"]`. Permanent if no receiver was reached."""
    named = {field: found for field in _UNREACHED if (found := _names(body.get(field)))}
    if not named:
        return sent
    report = "; ".join(f"{field} {'|'.join(sorted(found))}" for field, found in named.items())[:_REPORTED]
    missing: dict[str, set[str]] = {}
    for field, found in named.items():
        for name in _UNREACHED[field]:
            missing.setdefault(name, set()).update(found)
    receivers = {name: found for name in missing if (found := _names(mapping(call.json).get(name)))}
    others = [name for name in ("touser", "toparty", "totag") if mapping(call.json).get(name) and name not in receivers]
    if receivers and not others and all(found <= missing[name] for name, found in receivers.items()):
        return Permanent(f"reached nobody: {report}")
    return Sent(sent.id, {**sent.data, "unreached": report})


def _names(value: Any) -> set[str]:
    """The names in `a|b` or in a list, in lower case, as WeCom compares them."""
    listed = text(value).split("|") if isinstance(value, str) else [str(name) for name in array(value)]
    return {name.strip().lower() for name in listed if name.strip()}
