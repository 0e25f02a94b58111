"""The states that a handler uses: dictionaries of JSON values, or pydantic models that are stored as such."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from threading import RLock
from typing import Any, ClassVar, Protocol, Self, cast, get_origin, runtime_checkable

from parley.errors import AuthorError
from parley.model.state import PRIVATE, State, visible

VERSION = "$version"
"""The key under which the version of a model is stored; without it, the version is 1."""
Load = Callable[[], State]
_LOADING = RLock()
"""Held while a state is loaded: the threads of a handler get the same one."""


class StateError(AuthorError):
    """The stored state is not one of the handler's model. The message names the model and the fields, and no value."""


class Model(Protocol):
    """A pydantic model. All of its fields have defaults: they are the first state."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """The model with these values. Raises pydantic.ValidationError."""
        ...

    def model_dump(self, *, mode: str, by_alias: bool, warnings: bool) -> dict[str, Any]:
        """The values, as JSON has them with mode "json", under the names that `model_validate` reads."""
        ...


@runtime_checkable
class Migrates(Protocol):
    """A model whose stored form has changed. `state_version` counts its forms; the first one is 1."""

    state_version: ClassVar[int]

    @classmethod
    def migrate(cls, stored: State, version: int) -> State:
        """`stored`, which has the form `version`, in the form of this model."""
        ...


class Held:
    """One state during a turn. It is loaded when it is first used, so one that no handler uses costs nothing."""

    __slots__ = ("_copy", "_is_watched", "_load", "_model", "_private", "_read", "_unchanged", "_value", "loaded")

    def __init__(self, load: Load, value: Any = None) -> None:
        self._load = load
        self._model: type[Model] | None = None
        self._read: State | None = None
        """The state as it was loaded, without the library's own part."""
        self._private: State = {}
        self._unchanged: State = {}
        self._value = value
        self.loaded = value is not None
        self._is_watched = False
        self._copy: State = {}

    def declare(self, model: type[Model]) -> None:
        """The handler wants the state as a `model`. Raises StateError if it is loaded and has another form."""
        self._model = model
        if self.loaded and not isinstance(self._value, model):
            self._keep(plain(self._value))
            self._unchanged = {}  # it may have been changed already

    def get(self) -> Any:
        """The state, which the handler changes in place. Raises StateError, and what loading it raises."""
        self._ensure_loaded()
        return self._value

    def put(self, value: Any) -> None:
        """Replace the state."""
        self._ensure_loaded()
        self._value = value

    def drop(self) -> None:
        """Take back what the handler has changed. The library's own part stays as it is."""
        if self.loaded:
            self._keep(visible(self._load()))

    def copied(self) -> State | None:
        """A copy of the state, for `restore`. None if it is not loaded."""
        return deepcopy(plain(self._value)) if self.loaded else None

    def restore(self, copied: State | None) -> None:
        """Make the state as it was when it was `copied`. The library's own part stays as it is."""
        if copied is None:
            self.drop()
        else:
            self._value = copied if self._model is None else _parsed(self._model, copied)

    def stored(self, before: State) -> State:
        """The state to store; `before`, which is stored now, if the handler has not changed it."""
        shown = visible(before)
        new = plain(self._value) if self.loaded else shown
        if self._model is not None and new == self._unchanged:
            new = shown  # a model has defaults that are not stored yet
        private = before.get(PRIVATE) if self._read is None else self._private
        after = new | {PRIVATE: private} if private else new
        return before if after == before else after

    @property
    def problem(self) -> str:
        """Why a later message could not read what the handler has changed; empty if it can."""
        if self._model is None or not self.loaded or plain(self._value) == self._unchanged:
            return ""
        try:
            _parsed(self._model, plain(self._value))
        except StateError as error:
            return str(error)
        return ""

    @property
    def private(self) -> State:
        """What the library itself keeps with the state, and changes in place."""
        self._fetch()
        return self._private

    def watch(self) -> None:
        """From now on, `is_changed` says whether the handler has changed the state."""
        self._is_watched = True
        if self.loaded:
            self._copy = deepcopy(plain(self._value))

    @property
    def is_changed(self) -> bool:
        """Whether the state has changed since `watch`."""
        return self.loaded and plain(self._value) != self._copy

    def _ensure_loaded(self) -> None:
        if self.loaded:
            return
        with _LOADING:
            if not self.loaded:
                self._keep(self._fetch())

    def _fetch(self) -> State:
        """The state as it is stored."""
        with _LOADING:
            if self._read is None:
                stored = self._load()
                self._private = stored.get(PRIVATE, {})
                self._read = visible(stored)
            return self._read

    def _keep(self, stored: State) -> None:
        self._value = stored if self._model is None else _parsed(self._model, stored)
        self._unchanged = plain(self._value) if self._model is not None else {}
        self.loaded = True
        if self._is_watched:
            self._copy = deepcopy(plain(self._value))


def plain(value: Any) -> State:
    """The state `value` as a dictionary of JSON values."""
    if not hasattr(value, "model_dump"):
        return value
    version = _version(cast("type[Any]", type(value)))
    # A warning of pydantic would have the value in it, which may be a text of a person.
    values = value.model_dump(mode="json", by_alias=True, warnings=False)
    return values | ({VERSION: version} if version > 1 else {})


def _parsed(model: type[Model], stored: State) -> Any:
    version, values = stored.get(VERSION, 1), {key: value for key, value in stored.items() if key != VERSION}
    current = _version(model)
    if version > current:
        raise StateError(f"the stored state has version {version}; {model.__name__} of this bot has version {current}")
    if version < current and values:
        values = _migrated(model, values, version)
    from pydantic import ValidationError  # noqa: PLC0415  # a bot without models does not pay for it

    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _no_state(model, error.errors()) from None


def _no_state(model: type[Model], problems: Iterable[Any]) -> StateError:
    """The error for a stored state that does not fit. A note names the places: keys may hold texts of people."""
    known = getattr(model, "model_fields", {})
    named = (({*each["loc"][:1]} & known.keys(), each["type"]) for each in problems)
    fields = ", ".join(f"{next(iter(field), 'all')} ({problem})" for field, problem in named)
    error = StateError(f"the stored state is no {model.__name__}: {fields}")
    error.add_note(", ".join(".".join(map(str, each["loc"])) for each in problems))
    return error


def _migrated(model: type[Model], values: State, version: int) -> State:
    name = model.__name__
    if not isinstance(model, Migrates):
        raise StateError(f"the stored state has version {version}: {name} needs a class method `migrate`")
    migrated: Any = model.migrate(values, version)
    if not isinstance(migrated, dict):
        kind = type(migrated).__name__
        raise StateError(f"`migrate` of {name} returned {kind}: return the stored values as a dictionary")
    return cast("State", migrated)


def _version(model: type[Any]) -> int:
    return int(getattr(model, "state_version", 1))


def is_dictionary(model: Any) -> bool:
    """Whether `Turn[model]` asks for a dictionary: `dict`, `dict[str, Any]`."""
    return issubclass(get_origin(model) or model, dict)
