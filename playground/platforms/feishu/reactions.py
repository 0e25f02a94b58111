"""Feishu's API for reactions. Facts: Feishu docs, Message reaction: add, delete, error codes."""

from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.feishu.accounts import Account
from playground.platforms.feishu.emoji import NAMES
from playground.platforms.feishu.errors import FeishuError
from playground.platforms.feishu.events import millis
from playground.platforms.feishu.messages import json_object, success
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu


def add(feishu: "Feishu", account: Account, request: Request, message_id: str) -> Response:
    """`POST /open-apis/im/v1/messages/:message_id/reactions`.

    A repeat returns the reaction that is there. The documentation does not say it: unverified.
    """
    message = _message(feishu, account, message_id)
    kind = (json_object(request).get("reaction_type") or {}).get("emoji_type")
    if kind not in NAMES:
        raise FeishuError(231001, "reaction type is invalid.")
    own = (each for each in message.reactions if each["operator"]["operator_id"] == account.app_id)
    reaction = next((each for each in own if each["reaction_type"]["emoji_type"] == kind), None)
    if reaction is None:
        reaction = _reaction(feishu, account, kind)
        message.reactions.append(reaction)
        feishu.put_message(message)
    return success(reaction)


def delete(feishu: "Feishu", account: Account, _request: Request, message_id: str, reaction_id: str) -> Response:
    """`DELETE /open-apis/im/v1/messages/:message_id/reactions/:reaction_id`."""
    message = _message(feishu, account, message_id)
    found = next((each for each in message.reactions if each["reaction_id"] == reaction_id), None)
    if found is None:
        raise FeishuError(231011, "The request has an invalid reaction_id.")
    if found["operator"]["operator_id"] != account.app_id:
        raise FeishuError(231007, "The operator has no permission to delete this reaction.")
    message.reactions.remove(found)
    feishu.put_message(message)
    return success(found)


def _reaction(feishu: "Feishu", account: Account, kind: str) -> dict[str, Any]:
    return {
        "reaction_id": feishu.hex(40),
        "operator": {"operator_id": account.app_id, "operator_type": "app"},
        "action_time": millis(feishu.clock()),
        "reaction_type": {"emoji_type": kind},
    }


def _message(feishu: "Feishu", account: Account, message_id: str) -> Message:
    """The message with that id, which the bot can react to. Raises FeishuError."""
    message = feishu.messages.get(message_id)
    if message is None or message.note or message.recalled:
        raise FeishuError(231003, "The message is not found, maybe not exist or deleted.")
    if account.name not in feishu.rooms[message.room].bots:
        raise FeishuError(231002, "The operator has no permission to react on the specific message.")
    feishu.note_call(room=message.room, message_id=message.id)
    return message
