"""The portable names of the events of smart bots that other platforms have too (WeCom docs: Receiving events)."""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {"enter_chat": "chat_opened"}
"""The portable name by WeCom's name."""
