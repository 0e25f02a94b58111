"""What the console of each platform calls the fields of an app, and what to click there.

A platform declares it in `parley_cli.platforms.<name>.SETUP`. Without it, the required fields of its configuration are
asked for by their names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from msgspec.structs import fields

from parley.adapter import Answer, App, Call
from parley.platforms import config_type
from parley_cli.findings import Finding

Ask = Callable[[Call, str], Answer]
"""Makes a call with a token. Raises CallError."""
Probe = Callable[[App, Ask], Iterator[Finding]]
"""Asks the platform whether it knows the credentials of an app."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the configuration. `at`: where the console shows it."""

    name: str
    at: str
    secret: bool = False
    optional: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """How an app of a platform is connected.

    `forms`: the fields of each kind of app; the first kind is the usual one. A form without fields needs a file.
    `after`: what to do in the console when the app is stored; `{url}` stands for the callback URL, `{app}` for the name
    of the app, `{options}` for the options that name the deployment.
    """

    label: str
    forms: dict[str, tuple[Field, ...]]
    after: tuple[str, ...]
    guide: str
    has_token: bool = True
    """Whether the platform has an endpoint for access tokens, which tells whether the credentials are right."""
    address_list: str = ""
    """Where the console lists the addresses that may call the API; empty if there is no such list."""
    probe: Probe | None = None
    """Asks the platform in another way than for a token."""
    afterwards: Callable[[App, Ask, str], Iterator[Finding]] | None = None
    """What is to be right once the URL is in the console. Its last parameter is the URL; empty if it is not known."""
    unasked: frozenset[str] = field(default_factory=frozenset[str])
    """Required fields that are no text, so they come from a file."""


def of(platform: str) -> Setup:
    """The declaration of `platform`."""
    module = f"parley_cli.platforms.{platform}"
    if find_spec(module) is not None:
        declared: Setup = import_module(module).SETUP
        return declared
    required = tuple(Field(one.name, "the platform's console", secret=True) for one in required_fields(platform))
    after = ("Enter this URL in the console of the platform: {url}",)
    return Setup(platform, {"app": required}, after, f"docs/connect-{platform}.md", has_token=False)


def required_fields(platform: str) -> list[Field]:
    """The fields without which a configuration of `platform` is not valid."""
    return [Field(one.name, "") for one in fields(config_type(platform)) if one.required]
