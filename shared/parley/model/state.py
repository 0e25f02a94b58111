"""The states of a bot: whose they are."""

from typing import Any, Literal

State = dict[str, Any]
"""JSON values by their names."""
Scope = Literal["state", "user", "shared", "talk"]
"""The name under which `Turn` has the state of the conversation, of the person in all rooms of the app, of the app.
What a conversation has said with a language model (`Bot.converse`) is a state of its own, which handlers do not see."""
PRIVATE = "$parley"
"""The key under which a state holds what the library counts and knows itself. Handlers do not see it."""
OWNERS: dict[Scope, str] = {
    "state": "the conversation's",
    "user": "the person's",
    "shared": "the app's",
    "talk": "the model's",
}


PAIRING = "pairing"
"""The name of the pairings in that part of a state: `{"persons": {ID: ...}, ...}` in the app's."""


def visible(state: State) -> State:
    """`state` as handlers see it."""
    return {key: value for key, value in state.items() if key != PRIVATE}
