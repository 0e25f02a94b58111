"""The platforms, by name. A platform is a folder here with a module `inbound`; there is no other list of them."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from parley.adapter import (
    AnswersOnly,
    Capabilities,
    Checks,
    ComparesPersons,
    Config,
    ContentLimits,
    HasDirectRooms,
    HasReadableIds,
    Inbound,
    NamesSeveralPersons,
    Outbound,
    SendsEdits,
    SupportsSockets,
)
from parley.model import Destination

if TYPE_CHECKING:
    from parley.adapter.install_pages import SupportsInstallPages
    from parley.adapter.logins import SupportsLogins

NAMES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/inbound.py")))


def inbound(name: str) -> Inbound:
    """The receiving half of the platform `name`. Imports that half and nothing else."""
    return cast("Inbound", _half(name, "inbound"))


def callback_path(name: str, app: str) -> str:
    """The path of the callbacks of `app`, below the address of the API: `/callback/feishu/demo`. A platform with a path
    of its own names it in its module `inbound`.
    """
    usual = f"/callback/{name}/{{app}}"
    path: str = getattr(inbound(name), "PATH", usual) if name in NAMES else usual
    return path.replace("{app}", app)


def outbound(name: str) -> Outbound:
    """The sending half of the platform `name`."""
    return cast("Outbound", _half(name, "outbound"))


def sockets(name: str) -> SupportsSockets:
    """The part of the platform `name` that reads and writes the frames of sockets."""
    return cast("SupportsSockets", _half(name, "sockets"))


def logins(name: str) -> "SupportsLogins | None":
    """The part of the platform `name` that has logins of persons. None if it has none."""
    if name not in NAMES or not Path(__file__).with_name(name).joinpath("login.py").exists():
        return None
    return cast("SupportsLogins", _half(name, "login"))


def install_pages(name: str) -> "SupportsInstallPages | None":
    """The part of the platform `name` that has install pages. None if it has none."""
    if name not in NAMES or not Path(__file__).with_name(name).joinpath("install.py").exists():
        return None
    return cast("SupportsInstallPages", _half(name, "install"))


def content_limits(name: str) -> ContentLimits:
    """The limits of the platform `name` for the content of replies, commands and forms."""
    return cast("ContentLimits", getattr(_half(name, "content_limits"), "LIMITS"))  # noqa: B009


def capabilities(name: str) -> Capabilities | None:
    """How the platform `name` shows the parts of a reply. None if it does not say that."""
    if not Path(__file__).with_name(name).joinpath("capabilities.py").exists():
        return None
    return cast("Capabilities", getattr(_half(name, "capabilities"), "CAPABILITIES"))  # noqa: B009


def checks(name: str) -> Checks:
    """The checks that the platform `name` makes where a handler runs."""
    return cast("Checks", _half(name, "checks"))


def is_same_person(name: str, one: str, other: str) -> bool:
    """Whether two ids are those of one person on the platform `name`. WeCom ignores their case, for example."""
    return one == other or _person_id(name)(one) == _person_id(name)(other)


def is_receiver(name: str, user_id: str, person: str) -> bool:
    """Whether what is sent to `Destination.user_id` on the platform `name` can reach this person. WeCom has lists of
    persons, and groups of them whose members are not known here.
    """
    half = checks(name) if name in NAMES else None
    return half.is_receiver(user_id, person) if isinstance(half, NamesSeveralPersons) else user_id == person


def is_conversation(to: Destination) -> bool:
    """Whether what is sent to `to` is in the conversation in which its answers come: a chat of one person with the bot
    may have the id of a room.
    """
    half = checks(to.platform)
    return bool(to.room_id) or not (isinstance(half, HasDirectRooms) and half.DIRECT_ROOMS)


def answers_only(name: str) -> bool:
    """Whether a bot on the platform `name` cannot write first: each reply needs the reply token of a message."""
    half = checks(name) if name in NAMES else None
    return isinstance(half, AnswersOnly) and half.ANSWERS_ONLY


def sends_edits(name: str) -> bool:
    """Whether people on the platform `name` read an edit of a card as a new message, or its words."""
    half = checks(name) if name in NAMES else None
    return isinstance(half, SendsEdits) and half.SENDS_EDITS


def has_readable_ids(name: str) -> bool:
    """Whether people on the platform `name` know each other by their ids. They read the id where there is no name."""
    half = checks(name) if name in NAMES else None
    return isinstance(half, HasReadableIds) and half.READABLE_IDS


@cache
def _person_id(name: str) -> Callable[[str], str]:
    """The function of the platform `name` that makes ids of one person equal."""
    half = checks(name) if name in NAMES else None
    return half.person_id if isinstance(half, ComparesPersons) else str


def portable_events(name: str) -> Mapping[str, str]:
    """The portable names of the events of the platform `name`, by its own names. Empty if it has no such table."""
    return cast("Mapping[str, str]", _of_events(name, "EVENTS"))


def installations(name: str) -> Mapping[str, bool]:
    """The events of the platform `name` by which an organisation installs or removes an app without a code of its own,
    and whether it has the app from then on. Empty if it has none.
    """
    return cast("Mapping[str, bool]", _of_events(name, "INSTALLATIONS"))


def _of_events(name: str, table: str) -> object:
    if not Path(__file__).with_name(name).joinpath("portable_events.py").exists():
        return {}
    return getattr(_half(name, "portable_events"), table, {})


def config_type(name: str) -> type[Config]:
    """The struct that holds the configuration of an app of the platform `name`."""
    return cast("type[Config]", getattr(_half(name, "config"), "Config"))  # noqa: B009


def _half(name: str, half: str) -> object:
    if name not in NAMES:
        raise KeyError(f"no platform {name!r}; there are {', '.join(NAMES)}")
    return import_module(f"parley.platforms.{name}.{half}")
