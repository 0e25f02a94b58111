"""Credentials that came with a message, in clear text, for the bot."""

import msgspec

from parley.adapter import App, SupportsCredentials
from parley.bot import CredentialError
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.model import Message
from parley.platforms import inbound


class Credentials(msgspec.Struct):
    """Reads credentials with the configuration of the app that received the message."""

    apps: Apps

    def __call__(self, message: Message) -> str:
        """The credential of `message`. Raises CredentialError."""
        platform, name = inbound(message.platform), f"{message.platform}/{message.app}"
        if not isinstance(platform, SupportsCredentials):
            raise CredentialError(f"{message.platform} sends no credentials")
        try:
            app = self.apps.get(message.platform, message.app)
            found = _read(platform, message, app) or _read(platform, message, self.apps.reread(app))
        except (AppsUnavailableError, UnknownAppError) as error:
            raise CredentialError(f"no configuration of {name}: {error}") from error
        if found is None:
            raise CredentialError(f"the secret of {name} has changed since the message came")
        return found


def _read(platform: SupportsCredentials, message: Message, app: App | None) -> str | None:
    """The credential; None if another secret sealed it, or if there is no `app`."""
    try:
        return None if app is None else platform.credential(message, app)
    except ValueError:
        return None


def credentials() -> Credentials:
    """The credentials of this process."""
    return Credentials(Apps())
