"""The interface for bot authors."""

from parley.bot.approvals import Approval, Approve
from parley.bot.arguments import ArgumentError
from parley.bot.bot import Bot
from parley.bot.dialogues import Script
from parley.bot.pairing import Pairing
from parley.bot.questions import Ask
from parley.bot.quotas import Quotas
from parley.bot.router import Router
from parley.bot.rules import Rule
from parley.bot.settings import Secret, Settings, SettingsError
from parley.bot.signer import Signer
from parley.bot.states import StateError
from parley.bot.texts import Texts, texts_for
from parley.bot.turn import CredentialError, DownloadError, Turn
from parley.errors import ResultError
from parley.model.commands import Option

__all__ = [
    "Approval",
    "Approve",
    "ArgumentError",
    "Ask",
    "Bot",
    "CredentialError",
    "DownloadError",
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
    "texts_for",
]
