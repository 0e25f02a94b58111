"""The simulated platforms are found by their folders, and the page gets all that it shows of them."""

import re

from parley.platforms import NAMES
from playground.platforms import simulated_platforms


def test_every_platform_of_parley_has_a_simulated_platform():
    assert sorted(simulated_platforms()) == sorted(NAMES)


def test_tabs_begin_with_feishu_and_are_labelled_in_both_languages():
    platforms = simulated_platforms()
    assert next(iter(platforms)) == "feishu"
    for platform in platforms.values():
        assert all(platform.appearance.label[language] for language in ("en", "zh"))


def test_colours_are_colours_that_css_knows():
    for platform in simulated_platforms().values():
        for color in (platform.appearance.color, *platform.appearance.bubble):
            assert re.fullmatch(r"#[0-9a-f]{6}", color)
