"""The root of Parley's exceptions, and those that several layers share."""

import re
from typing import Any

_VALUE_IN_MESSAGE = re.compile(r"(Invalid (?:enum )?value) .*?((?: - at `[^`]*`)?)$", re.DOTALL)


class ParleyError(Exception):
    """Base of every exception that Parley raises."""


class AuthorError(ParleyError):
    """A mistake in a bot. The message is for its author. It holds no text of a person and no secret, so it goes into
    logs and the journal.
    """


class ResultError(AuthorError):
    """A reply, or another result of a handler, cannot be stored or shown. The message names the part, the limit and the
    platform.
    """


class LimitError(ResultError, ValueError):
    """What a person wrote is beyond a limit. The person reads `Texts.<text>`, in which `limit` is filled in."""

    def __init__(self, message: str, text: str, limit: int = 0) -> None:
        super().__init__(message)
        self.text = text
        self.limit = limit


class CredentialError(ParleyError):
    """The message has no credential, or it has expired or cannot be read. The message says why, without the value."""


class LoginNeededError(ParleyError):
    """The person has not logged in, their login has ended, or it lacks a scope. A handler asks for it before:
    `login = yield Login("...")`. A person whose message raises it reads `Texts.login_needed`.
    """

    def __init__(self, reason: str, scopes: str = "") -> None:
        scopes = scopes or "..."
        super().__init__(f'{reason}: write `login = yield Login("{scopes}")` before `turn.as_user()`')
        self.scopes = scopes


class UserApiError(ParleyError):
    """The platform has refused a call in the name of a person, or there is no answer (`status` 0).

    `code` and `body` are those of the platform. The message has no words of the platform. `is_unknown`: the call may be
    done.
    """

    def __init__(self, message: str, *, status: int = 0, body: dict[str, Any] | None = None, is_unknown: bool = False):
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = body or {}
        self.code = self.body.get("code")
        self.is_unknown = is_unknown


class DownloadError(ParleyError):
    """The bytes are not available. The message says why, and holds no text of the conversation."""


class RetryAfter(ParleyError):  # a condition, not an error
    """Try again after `seconds`: a rate limit, a lease of another worker, a service that is down.

    The engine raises it to give a record back to its queue. A platform returns it as the outcome of a call that was
    refused for its rate; nothing was done then.
    """

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RetryAfter) and (self.seconds, self.reason) == (other.seconds, other.reason)

    def __hash__(self) -> int:
        return hash((self.seconds, self.reason))

    def __repr__(self) -> str:
        return f"RetryAfter({self.seconds!r}, {self.reason!r})"


def without_value(error: Exception) -> str:
    """The message of a validation error of msgspec, without the value: it may be a secret or the text of a person."""
    return _VALUE_IN_MESSAGE.sub(r"\1\2", str(error))
