"""The settings of a team's bot, secrets included: one typed model.

In a function they come from the SSM parameter `/parley/{stage}/bot`, a SecureString that holds a JSON object. Where
PARLEY_STAGE is not set, in tests and scripts, they come from the environment and a file.
"""

import hmac
import os
import sys
import time
from pathlib import Path
from typing import Any, Self, dataclass_transform

import msgspec

from parley.errors import AuthorError, without_value

FILE = "settings.local.json"
"""The settings of the local stack and of tests, beside the module that defines the model. Git ignores the file."""
PREFIX = "PARLEY_SETTING_"
_MAX_AGE = 300.0
"""Seconds after which the settings are read again."""
_RETRY_AFTER = 5.0
"""Seconds between two reads while SSM fails or the stored value is not valid."""
_IN_JSON = (
    msgspec.inspect.CollectionType,
    msgspec.inspect.TupleType,
    msgspec.inspect.DictType,
    msgspec.inspect.StructType,
    msgspec.inspect.TypedDictType,
    msgspec.inspect.NamedTupleType,
    msgspec.inspect.DataclassType,
)
"""Types whose values are written as JSON in an environment variable."""
_AS_TEXT = (msgspec.inspect.StrType, msgspec.inspect.CustomType)
"""Types whose values are a text, also beside one of those above."""


class SettingsError(AuthorError):
    """The settings are not available or not valid. The message names the source and the field, and never a value."""


class Secret:
    """A text that neither logs nor tracebacks show. `reveal` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text. Pass it to its user at once, and keep it nowhere."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class _Model(msgspec.StructMeta):
    """Makes every subclass of `Settings` frozen, with keyword arguments. Struct's own options are not all inherited."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        return super().__new__(cls, name, bases, namespace, frozen=True, kw_only=True)


class Settings(msgspec.Struct, metaclass=_Model):
    """Base of a bot's settings. A subclass has one annotated field per setting."""

    @classmethod
    def load(cls) -> Self:
        """The current settings. Raises SettingsError.

        Call it in the handler. A function reads SSM at most every five minutes and otherwise returns what it has read.
        If SSM fails later, the settings read before stay in use.
        """
        stage = os.environ.get("PARLEY_STAGE")
        if not stage:
            return _local(cls)
        entry = _cache.get(cls)
        now = time.time()
        if entry is None:
            entry = _cache[cls] = _Entry(_stored(cls, stage), now, now)
        elif now - entry.read_at > _MAX_AGE and now - entry.tried_at > _RETRY_AFTER:
            _refresh(entry, cls, stage, now)
        return entry.settings


class _Entry(msgspec.Struct):
    """What was read from SSM. `tried_at` is later than `read_at` if the last read failed."""

    settings: Any
    read_at: float
    tried_at: float


_cache: dict[type[Settings], _Entry] = {}


def _refresh(entry: _Entry, model: type[Settings], stage: str, now: float) -> None:
    from parley.engine.telemetry import log  # noqa: PLC0415  # tests and scripts of a team need no AWS libraries

    entry.tried_at = now
    try:
        entry.settings, entry.read_at = _stored(model, stage), now
    except SettingsError as error:
        log.warning("settings not readable, using the cached ones", extra={"reason": str(error)})


def _stored(model: type[Settings], stage: str) -> Settings:
    from parley.engine import parameter  # noqa: PLC0415  # as above

    path = f"/parley/{stage}/bot"
    try:
        raw = parameter.read(path)
    except parameter.ParameterError as error:
        raise SettingsError(f"SSM parameter {path}: {error}") from None
    source = f"SSM parameter {path}" if raw is not None else f"SSM parameter {path}, which does not exist"
    return _checked(model, _object(raw or "{}", source), source, strict=True)


def _local(model: type[Settings]) -> Any:
    """The settings from the environment and, for those that are not set there, from the file."""
    values: dict[str, Any] = {}
    defined_in = getattr(sys.modules.get(model.__module__), "__file__", None)
    file = Path(defined_in).with_name(FILE) if defined_in else None
    if file is not None and file.is_file():
        values = _object(file.read_text(), FILE)
    for field in msgspec.structs.fields(model):
        name = f"{PREFIX}{field.name.upper()}"
        value = os.environ.get(name)
        if value is not None:
            values[field.encode_name] = _from_text(value, field.type, name)
    return _checked(model, values, f"{FILE} and the environment variables {PREFIX}*", strict=False)


def _from_text(value: str, kind: Any, name: str) -> Any:
    """The value of the environment variable `name`: read as JSON for a list or an object, else the text itself.

    Raises SettingsError if it has to be JSON and is not.
    """
    kinds = _kinds(msgspec.inspect.type_info(kind))
    if not any(isinstance(one, _IN_JSON) for one in kinds):
        return value
    if any(isinstance(one, _AS_TEXT) for one in kinds) and not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        raise SettingsError(f"the environment variable {name} is not JSON, as a list or an object has to be") from None


def _kinds(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """The types of which a value of `kind` has one."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return _kinds(kind.type)
    members = kind.types if isinstance(kind, msgspec.inspect.UnionType) else ()
    return [one for member in members for one in _kinds(member)] or [kind]


def _object(raw: str, source: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise SettingsError(f"{source}: {without_value(error)}") from None


def _checked(model: type[Settings], values: dict[str, Any], source: str, *, strict: bool) -> Any:
    try:
        return msgspec.convert(values, model, strict=strict, dec_hook=_secret)
    except msgspec.ValidationError as error:
        # Without its cause: the message of msgspec can hold the value.
        raise SettingsError(f"{source}: {without_value(error)}") from None


def _secret(kind: type[Any], value: Any) -> Any:
    if kind is not Secret:
        raise NotImplementedError(f"a setting cannot have the type {kind.__name__}")
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")  # noqa: TRY004  # msgspec adds the field to it
    return Secret(value)
