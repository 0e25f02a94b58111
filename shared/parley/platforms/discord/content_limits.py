"""Discord's limits for content. Discord docs: Message › Create Message, Embed Limits; Components › Button, Label, Text
Input; Application Commands › Naming, Option Structure; Uploading Files. Characters are counted in UTF-16 units.
"""

from parley.adapter import ContentLimits, Maximum

ROWS, BUTTONS_IN_ROW = 5, 5
"""Rows of buttons of one message, and buttons of one row. Discord docs: Components › Action Row."""
_CUSTOM_ID = 100
"""Discord docs: Components › Custom ID. The same for a button, a form and an input."""

LIMITS = ContentLimits(
    name="Discord",
    # The OpenAPI file says 4000, which does not hold for bots.
    text=Maximum(2000, "characters", "continued"),
    markdown=Maximum(2000, "characters", "continued"),
    card_title=Maximum(256, "characters", "shortened"),
    card_text=Maximum(4096, "characters", "continued"),
    buttons=Maximum(ROWS * BUTTONS_IN_ROW, "", "continued"),
    button_label=Maximum(80, "characters", "shortened"),
    button_key=Maximum(_CUSTOM_ID, "characters", "error"),
    button_url=Maximum(512, "characters", "text"),
    card_fields=Maximum(25, "", "continued"),
    field_value=Maximum(1024, "characters", "text"),
    menu_choices=Maximum(25, "", "continued"),
    thread_name=Maximum(100, "characters", "shortened"),
    # Of a message that answers no interaction. An interaction names its own limit.
    image=Maximum(10_485_760, "bytes", "text"),
    audio=Maximum(10_485_760, "bytes", "text"),
    video=Maximum(10_485_760, "bytes", "text"),
    file=Maximum(10_485_760, "bytes", "text"),
    commands=Maximum(100, "", "registration"),
    menu_entries=Maximum(15, "", "registration"),
    command_name=Maximum(32, "characters", "registration"),
    menu_name=Maximum(32, "characters", "registration"),
    command_help=Maximum(100, "characters", "shortened"),
    command_size=Maximum(8000, "characters", "registration"),
    options=Maximum(25, "", "registration"),
    choices=Maximum(25, "", "registration"),
    completions=Maximum(25, "", "left out"),
    choice_label=Maximum(100, "characters", "shortened"),
    choice_value=Maximum(100, "characters", "left out"),
    inputs=Maximum(5, "", "ordinary handler"),
    form_title=Maximum(45, "characters", "shortened"),
    input_id=Maximum(_CUSTOM_ID, "characters", "ordinary handler"),
    input_label=Maximum(45, "characters", "shortened"),
    input_help=Maximum(100, "characters", "shortened"),
    input_text=Maximum(4000, "characters", "shortened"),
)
