"""The states of a bot: whose they are."""

from typing import Any, Literal

State = dict[str, Any]
"""JSON values by their names."""
Scope = Literal["state", "user", "shared"]
"""The name under which `Turn` has the state of the conversation, of the person in all rooms of the app, of the app."""
OWNERS: dict[Scope, str] = {"state": "the conversation's", "user": "the person's", "shared": "the app's"}
