"""The documents of events have the names of the code, and each portable name is that of an event."""

import pytest

from parley.bot.events import PORTABLE
from parley.platforms import NAMES, portable_events
from tools.make_event_names import FOLDER, MEANINGS, documents


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_document_is_what_the_code_generates_now(name: str):
    assert (FOLDER / name).read_text() == documents()[name], "events have changed: python -m tools.make_event_names"


def test_every_portable_name_has_a_meaning_and_a_platform():
    assert list(MEANINGS) == list(PORTABLE)
    assert {name for platform in NAMES for name in portable_events(platform).values()} == set(PORTABLE)


def test_a_platform_without_a_table_has_no_portable_events():
    assert portable_events("newchat") == {}
