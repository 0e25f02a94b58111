"""Install pages: the page of this deployment from which organisations install an app (`SupportsTenants`).

A platform that has them has a module `install` with these functions. They are pure: the engine makes the calls.
"""

from collections.abc import Generator, Mapping
from typing import Protocol

from parley.adapter.app import App
from parley.adapter.calls import Answer, Call
from parley.errors import ParleyError
from parley.model import Message

LinkSteps = Generator[Call, Answer, str]
"""The calls before an address is known, and the address. Raises `InstallError`."""


class InstallError(ParleyError):
    """The platform gives no address. The message has no words of the platform."""


class SupportsInstallPages(Protocol):
    """The module `install` of a platform. All functions get an app that has such a page, but `redirect_uri`."""

    def redirect_uri(self, app: App) -> str:
        """The address to which the platform sends the browser back; empty if the app has no install page."""
        ...

    def link(self, app: App, state: str) -> LinkSteps:
        """The address of the platform's install page. `state`: letters and digits that come back with the browser."""
        ...

    def claimed(self, app: App, query: Mapping[str, str], now: float) -> Message | None:
        """The message that an organisation has installed `app`, from the query with which the browser comes back; None
        without a code. Nobody has signed it: its `Context.authorisation` is `claimed`.
        """
        ...
