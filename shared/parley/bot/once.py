"""Results of outside calls, recorded before they are used: a bot that starts again on a message repeats none."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import msgspec

from parley.bot.values import check_json
from parley.errors import ResultError
from parley.journal.limits import MAX_RESULTS
from parley.model import reply_id
from parley.model.codec import encode

_UNSTORABLE = "parley.unstorable"
"""The only key of what is recorded of a result that cannot be stored. Its value is the reason."""

T = TypeVar("T")
Store = Callable[[str], None]
Check = Callable[[], None]


class OutOfTimeError(BaseException):
    """Too little time is left in this run for the next call. `except Exception` does not catch it."""


class StoppedError(BaseException):
    """A person has stopped the run. `except Exception` does not catch it.

    `sent` and `received`: tokens that the answer of a model has cost which was stopped.
    """

    sent = received = 0


def _always() -> None:
    """In a test, every call may begin."""


def _nowhere(_results: str) -> None:
    """In a test, results live as long as the turn."""


class Results:
    """The results of one message, by the keys that its handler chose. `stored`: those of an earlier attempt, as JSON.
    `store` gets all of them whenever one is added. `check` is called before each call, and raises what ends the run.
    """

    __slots__ = ("_check", "_message_key", "_scope", "_store", "_used", "_values")

    def __init__(self, message_key: str, stored: str = "", store: Store = _nowhere, check: Check = _always) -> None:
        self._message_key = message_key
        self._scope = ""
        self._store = store
        self._check = check
        self._used: set[str] = set()
        self._values = _decoded(stored)

    def use(self, key: str) -> None:
        """Raise ResultError if a call of this run has the key already: it would get the result of the other one. Raise
        TypeError if the key is no text.
        """
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f'once({key!r}, ...): write a text as the key, once("order", ...)')
        if self._scope + key in self._used:
            error = ResultError("`once` is called twice with one key for one message; give each call a key of its own")
            error.add_note(f"the key {key!r}")
            raise error
        self._used.add(self._scope + key)

    def __contains__(self, key: str) -> bool:
        return self._scope + key in self._values

    def __getitem__(self, key: str) -> Any:
        """A copy of the result. Raises ResultError if it could not be stored: the call has been made."""
        value: object = msgspec.json.decode(self._values[self._scope + key])
        reason = cast("dict[str, str]", value).get(_UNSTORABLE) if isinstance(value, dict) else None
        if reason is not None:
            raise ResultError(reason)
        return cast("Any", value)

    @contextmanager
    def within(self, scope: str) -> Generator[None]:
        """Inside the context, keys are those of `scope`: a handler that runs twice for one message, as a tool of a
        language model, has its own results each time.
        """
        outer, self._scope = self._scope, f"{self._scope}{scope}/"
        try:
            yield
        finally:
            self._scope = outer

    @contextmanager
    def outside(self) -> Generator[None]:
        """Inside the context, keys are in no scope."""
        inner, self._scope = self._scope, ""
        try:
            yield
        finally:
            self._scope = inner

    @property
    def stored(self) -> str:
        """The results of the current scope, as JSON; empty if there are none."""
        own = {
            key.removeprefix(self._scope): value for key, value in self._values.items() if key.startswith(self._scope)
        }
        return encode(own).decode() if own else ""

    def go_on(self, message_key: str, earlier: str) -> None:
        """These are the results of a dialogue that began with another message, which has the results `earlier`."""
        self._message_key = message_key
        self._values = self._values | _decoded(earlier)

    def begin(self, needs: float, remaining: float) -> None:
        """Raise what ends the run before a call that needs `needs` seconds: OutOfTimeError if fewer are `remaining`."""
        self._check()
        if needs > remaining:
            raise OutOfTimeError(f"the call needs {needs:.0f} s")

    def idempotency_key(self, key: str) -> str:
        """32 hex digits, the same in every attempt at this message and this call."""
        return reply_id(self._message_key, f"once {self._scope}{key}")

    def record(self, key: str, value: T) -> T:
        """Store the result `value`, and return it. Raises ResultError if it is too large or no JSON. That is stored
        too, so the call is not repeated.
        """
        try:
            check_json(value, "the result of `once`")
            values = self._with(key, value)
            size = len(encode(values))
            if size > MAX_RESULTS:
                raise ResultError(
                    f"the results of `once` are {size} bytes of JSON; at most {MAX_RESULTS} can be stored"
                )
        except ResultError as error:
            self._keep(self._with(key, {_UNSTORABLE: str(error)}))
            raise
        self._keep(values)
        return value

    def remember(self, key: str, value: bool) -> None:  # it is the value
        """Keep `value`, and store it with the next result: until then, another attempt may as well get another one."""
        self._values = self._with(key, value)

    def _with(self, key: str, value: object) -> dict[str, msgspec.Raw]:
        return self._values | {self._scope + key: msgspec.Raw(encode(value))}

    def _keep(self, values: dict[str, msgspec.Raw]) -> None:
        self._store(encode(values).decode())
        self._values = values


def _decoded(stored: str) -> dict[str, msgspec.Raw]:
    """Results by their keys, each as JSON: what a handler does with one does not change what is recorded."""
    return msgspec.json.decode(stored, type=dict[str, msgspec.Raw]) if stored else {}
