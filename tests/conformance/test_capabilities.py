"""Each cell of docs/capabilities.md has a golden file, and shows what the cell says.

`PARLEY_UPDATE_GOLDEN=1 pytest tests/conformance/test_capabilities.py` writes the replies of the files.
"""

import json
import os
from typing import Any

import msgspec
import pytest

from parley.adapter import Capabilities
from parley.platforms import NAMES, capabilities
from tests.conformance.cells import CELLS, MESSAGE, PERSON, reply_of
from tests.conformance.kit import GOLDEN, answered_by
from tests.conformance.test_golden import ADAPTERS, calls_of
from tools.make_capabilities import ROWS

SHOWN = {
    "mention": (PERSON, "@marker"),
    "mention_all": ("@everyone", "all", "@marker"),
    "card_mention": (PERSON, "@marker"),
    "quote": (MESSAGE, "> marker"),
    "image_data": ("image",),
    "card_image": ("image",),
    "reaction": ("THUMBSUP", "%F0%9F%91%8D", "👍"),
}
"""What the calls of a cell contain, if that is not the word `marker`."""
WITH_A_TABLE = [platform for platform in NAMES if capabilities(platform)]
"""A new platform has none yet: `tests/unit/test_capabilities.py` names those that must have one."""
ALL = pytest.mark.parametrize(("platform", "cell"), [(platform, cell) for platform in WITH_A_TABLE for cell in CELLS])


def case_of(platform: str, cell: str) -> dict[str, Any]:
    """The golden file of a cell, without the result."""
    segment, part, _ = ROWS[cell]
    reply = msgspec.json.decode(msgspec.json.encode(reply_of(cell, platform)))
    shown = {name: value for name, value in reply.items() if value}
    return {
        "about": f"{segment}: {part}: {getattr(capabilities(platform), cell)}.",
        "reply": shown,
        "to": answered_by(platform),
    }


def test_there_is_a_sample_of_each_part():
    assert list(CELLS) == list(Capabilities._fields)


@ALL
def test_a_cell_has_a_golden_file(platform: str, cell: str):
    path, case = GOLDEN / platform / f"cell_{cell}.json", case_of(platform, cell)
    if case["reply"]["op"] == "send":
        del case["reply"]["op"]
    if os.environ.get("PARLEY_UPDATE_GOLDEN"):
        written = case | calls_of(case, ADAPTERS[platform])
        path.write_text(json.dumps(written, ensure_ascii=False, indent=2) + "\n", "utf-8")
    found = json.loads(path.read_text("utf-8"))
    assert {name: found[name] for name in case} == case


@ALL
def test_a_cell_shows_what_it_says(platform: str, cell: str):
    case = case_of(platform, cell)
    calls = json.dumps(calls_of(case, ADAPTERS[platform]), ensure_ascii=False)
    how = getattr(capabilities(platform), cell)
    assert any(word in calls for word in SHOWN.get(cell, ("marker",))) == (how != "none")
    assert ("1. marker" in calls) == (how == "numbered")
