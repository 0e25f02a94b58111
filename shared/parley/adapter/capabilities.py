"""How each platform shows the parts of a reply: the columns of docs/capabilities.md."""

from typing import Literal, NamedTuple

Shown = Literal["native", "button", "message", "file", "code", "link", "name", "text", "numbered", "none"]
"""How a part is shown:

* `native`: in the platform's own form.
* `button`: a button opens it.
* `message`: as a message of its own.
* `file`: as a file to download.
* `code`: as code in a line, or as a block with the columns of a table in line.
* `link`: as a link to its address, or as its address.
* `name`: the name of the person or file, as text.
* `text`: its words, without the form.
* `numbered`: as a numbered line of text, whose number a person sends (`parley.bot.numbered`).
* `none`: not at all.
"""


class Capabilities(NamedTuple):
    """The parts of a reply to one person. `tests/golden/<platform>/cell_<name>.json` has the calls of each."""

    text: Shown
    bold: Shown
    italic: Shown
    strikethrough: Shown
    code: Shown
    code_block: Shown
    heading: Shown
    items: Shown
    """A list in markdown."""
    block_quote: Shown
    table: Shown
    picture: Shown
    """A picture in markdown, by its address."""
    rule: Shown
    link: Shown
    link_preview: Shown
    mention: Shown
    mention_all: Shown
    image_key: Shown
    """An image by the platform's own handle."""
    image_data: Shown
    image_url: Shown
    image_received: Shown
    """An image that a person has sent, on any platform."""
    audio: Shown
    video: Shown
    file: Shown
    location: Shown
    quote: Shown
    card_title: Shown
    card_text: Shown
    card_literal: Shown
    card_image: Shown
    card_mention: Shown
    card_field: Shown
    button: Shown
    link_button: Shown
    menu: Shown
    form_choice: Shown
    """A form whose inputs are choices."""
    form_text: Shown
    form_date: Shown
    other: Shown
    """A segment of another platform."""
    reaction: Shown
    """A reaction to a message (`Reply.emoji`)."""
