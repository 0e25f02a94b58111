"""What the strings of a stored Struct are: for `parley.journal.masking`, which removes a person from them."""

from typing import NamedTuple

import msgspec

from parley.adapter import Sent
from parley.model import agenda, instant, message, reply, segments


class Strings(NamedTuple):
    """The fields of a Struct that hold strings. A `Literal` and a tag are structure, and in none of these.

    `ids`: the id of a person, or several with `|` between them. `texts`: what people read or write. `values`: what the
    bot chose and gets back; a name cannot be told from a choice there. `json`: such values by name, as JSON.
    `structure`: what code compares, or what is no personal data.
    """

    ids: frozenset[str]
    texts: frozenset[str]
    values: frozenset[str]
    json: frozenset[str]
    structure: frozenset[str]


def _of(structure: str = "", *, ids: str = "", texts: str = "", values: str = "", json: str = "") -> Strings:
    return Strings(*(frozenset(names.split()) for names in (ids, texts, values, json, structure)))


_MEDIA = _of("key data mime cover", texts="url name text")

STRINGS: dict[type[msgspec.Struct], Strings] = {
    message.Message: _of("id platform app reply_to event raw"),  # only the library's own events are stored with `raw`
    message.Sender: _of("departments", ids="id", texts="name"),
    message.Content: _of(texts="text"),
    message.Context: _of("room_id thread_id tenant locale reply_token"),
    message.Command: _of("name focused", texts="options"),
    message.Action: _of("id message_id", texts="form options", values="value"),
    segments.Text: _of(texts="text"),
    segments.Markdown: _of(texts="text"),
    segments.Mention: _of(ids="id", texts="name"),
    segments.Source: _of("platform app tenant message_id key"),
    segments.Image: _MEDIA,
    segments.File: _MEDIA,
    segments.Audio: _MEDIA,
    segments.Video: _MEDIA,
    segments.Location: _of(texts="name"),
    segments.Link: _of("image", texts="url title description"),
    segments.Quote: _of("message_id", texts="text"),
    segments.Button: _of("id", texts="label url", values="value"),
    segments.CardField: _of(texts="label value"),
    segments.Select: _of("id", texts="label", values="value"),
    segments.Card: _of("image", texts="title text"),
    segments.Other: _of("name", texts="text data"),
    instant.Choice: _of(texts="label", values="value"),
    instant.Input: _of("id", texts="label help placeholder value"),
    instant.Form: _of("id", texts="title submit", values="value"),
    reply.Destination: _of("platform app tenant room_id thread_id message_id kind webhook reply_token", ids="user_id"),
    reply.Reply: _of("target emoji"),
    reply.Outgoing: _of("id message_key dropped draft"),
    Sent: _of("id", texts="data"),
    agenda.Reminder: _of("id handler cron zone", ids="by", texts="text"),
    agenda.Answer: _of("question", texts="text"),
    agenda.OpenDialogue: _of(
        "id handler registered question kept cards scopes", texts="text", values="given", json="results"
    ),
    agenda.Numbered: _of("id", values="value option"),
    agenda.Agenda: _of(),
    agenda.LoginQuestion: _of("place scopes"),
    agenda.Timer: _of("cron zone"),
}
"""Of all Structs in a message, a reply, its receipts, the plans of a conversation, and a timer."""
