"""Feishu's names of events that other platforms have too (Feishu docs: Event list). Older names are of version 1."""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "im.chat.member.user.added_v1": "member_joined",
    "add_user_to_chat": "member_joined",
    "im.chat.member.user.deleted_v1": "member_left",
    "im.chat.member.user.withdrawn_v1": "member_left",
    "remove_user_from_chat": "member_left",
    "revoke_add_user_from_chat": "member_left",
    "im.chat.member.bot.added_v1": "bot_added",
    "add_bot": "bot_added",
    "im.chat.member.bot.deleted_v1": "bot_removed",
    "remove_bot": "bot_removed",
    "im.message.reaction.created_v1": "reaction_added",
    "im.message.reaction.deleted_v1": "reaction_removed",
    "im.message.recalled_v1": "message_recalled",
    "im.message.message_read_v1": "message_read",
    "message_read": "message_read",
    "im.chat.access_event.bot_p2p_chat_entered_v1": "chat_opened",
    "p2p_chat_create": "chat_opened",
    "im.chat.updated_v1": "room_changed",
    "im.chat.disbanded_v1": "room_closed",
    "chat_disband": "room_closed",
    "application.bot.menu_v6": "menu_pressed",
    "app_open": "app_installed",
    "app_uninstalled": "app_removed",
}
"""The portable name by Feishu's name."""

INSTALLATIONS: Mapping[str, bool] = {"app_open": True, "app_uninstalled": False}
"""Whether the organisation of the event has the app from then on (Feishu docs: Store apps)."""
