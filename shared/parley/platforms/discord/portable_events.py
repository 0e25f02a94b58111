"""Discord's names of events that other platforms have too (Discord docs: Webhook Events › Event Types)."""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "APPLICATION_AUTHORIZED": "app_installed",
    "APPLICATION_DEAUTHORIZED": "app_removed",
}
"""The portable name by Discord's name."""
