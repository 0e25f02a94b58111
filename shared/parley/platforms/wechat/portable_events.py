"""WeChat's names of events that other platforms have too (WeChat docs: Receiving event pushes)."""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "subscribe": "person_followed",
    "unsubscribe": "person_unfollowed",
    "click": "menu_pressed",
    "location": "location_reported",
}
"""The portable name by WeChat's name, in lower case."""
