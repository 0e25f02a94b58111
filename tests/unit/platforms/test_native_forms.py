"""A form that only one platform has is not shown by its name on the others."""

import json
from contextlib import suppress
from typing import Any

import pytest

from parley.adapter import Sent, UndeliverableError
from parley.model import Destination, Other, Outgoing, Reply, Text
from parley.model.segments import NATIVE_FORMS
from parley.platforms import outbound
from tests.conformance.kit import adapters

ROOMS: dict[str, dict[str, Any]] = {"feishu": {"room_id": "oc_1"}, "discord": {"room_id": "1037199174008667818"}}


def bodies(platform: str, *segments: Other | Text) -> list[str]:
    """The bodies of the calls of a reply."""
    to = Destination(platform=platform, app="demo", **ROOMS[platform])
    out = Outgoing(id="0" * 32, message_key="k", ordinal=0, to=to, reply=Reply(segments=segments), created=0)
    steps, found = outbound(platform).deliver(out, adapters()[platform].app, 0), list[str]()
    with suppress(StopIteration):
        call = next(steps)
        while True:
            found.append(json.dumps(call.json))
            call = steps.send(Sent("1037199174008667819"))
    return found


@pytest.mark.parametrize("name", sorted(NATIVE_FORMS))
@pytest.mark.parametrize("platform", sorted(ROOMS))
def test_people_read_the_text_of_a_form_of_another_platform_and_never_its_name(platform: str, name: str) -> None:
    with pytest.raises(UndeliverableError):
        bodies(platform, Other(name=name))
    for shown in (*bodies(platform, Text(text="hi"), Other(name=name)), *bodies(platform, Other(name=name, text="hi"))):
        assert "hi" in shown
        assert name not in shown
