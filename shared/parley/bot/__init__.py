"""The interface for bot authors."""

from importlib import import_module
from typing import TYPE_CHECKING

from parley.bot.arguments import ArgumentError
from parley.bot.bot import Bot
from parley.bot.router import Router
from parley.bot.rules import Rule
from parley.bot.states import StateError
from parley.bot.texts import Texts, texts_for
from parley.bot.turn import Turn
from parley.errors import CredentialError, DownloadError, LoginNeededError, ResultError, UserApiError
from parley.model.commands import Option

if TYPE_CHECKING:
    from parley.bot.approvals import Approval, Approve
    from parley.bot.dialogues import Script
    from parley.bot.logins import LoggedIn, Login, User
    from parley.bot.pairing import Pairing
    from parley.bot.questions import Ask
    from parley.bot.quotas import Quotas
    from parley.bot.settings import Secret, Settings, SettingsError
    from parley.bot.signer import Signer

__all__ = [
    "Approval",
    "Approve",
    "ArgumentError",
    "Ask",
    "Bot",
    "CredentialError",
    "DownloadError",
    "LoggedIn",
    "Login",
    "LoginNeededError",
    "Option",
    "Pairing",
    "Quotas",
    "ResultError",
    "Router",
    "Rule",
    "Script",
    "Secret",
    "Settings",
    "SettingsError",
    "Signer",
    "StateError",
    "Texts",
    "Turn",
    "User",
    "UserApiError",
    "texts_for",
]
_FEATURES = {
    "Approval": "approvals",
    "Approve": "approvals",
    "Ask": "questions",
    "LoggedIn": "logins",
    "Login": "logins",
    "Pairing": "pairing",
    "Quotas": "quotas",
    "Script": "dialogues",
    "Secret": "settings",
    "Settings": "settings",
    "SettingsError": "settings",
    "Signer": "signer",
    "User": "logins",
}
"""The modules of names that most bots do not use."""


def __getattr__(name: str) -> object:
    """Import the module of a feature when the name is first used: the others cost a cold start nothing."""
    if name not in _FEATURES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FEATURES[name]}"), name)
