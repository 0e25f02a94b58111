"""WeCom's names of events that other platforms have too (WeCom docs: Receiving events; Pushing the authorisation)."""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "subscribe": "person_followed",
    "unsubscribe": "person_unfollowed",
    "enter_agent": "chat_opened",
    "click": "menu_pressed",
    "location": "location_reported",
    "create_auth": "app_installed",
    "cancel_auth": "app_removed",
}
"""The portable name by WeCom's name, in lower case."""
