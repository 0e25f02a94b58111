"""axe-core finds nothing on any view: both languages, both themes, wide and narrow."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.page import Page

WIDE, NARROW = (1440, 900), (390, 800)
PANES = ("trace", "logs", "state", "deferred")


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    return files("axe_core_python").joinpath("axe.min.js").read_text()


@pytest.fixture
def sized(page: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in a window of that size, with a conversation."""
    for text in ("/markdown", "/card", "/quiet", "/divide 0"):
        page.write(text)
        page.own(text)  # two that are sent at once could come in another order
    page.remark("/divide 0")
    width, height = request.param
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield page
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def findings(page: Page, axe: str) -> list[str]:
    """What axe-core finds on the page as it is now."""
    page.browser.execute_script(axe)
    run = "axe.run(document, {resultTypes: ['violations']}).then(found => arguments[0](found.violations))"
    found = page.browser.execute_async_script(run)
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("sized", "language"),
    [(WIDE, "en"), (WIDE, "zh"), (NARROW, "en"), (NARROW, "zh")],
    indirect=["sized"],
    ids=["wide-en", "wide-zh", "narrow-en", "narrow-zh"],
)
def test_axe_finds_nothing(sized: Page, axe: str, theme: str, language: str) -> None:
    sized.settings(language=language, theme=theme)
    sized.remark("/divide 0")
    found = {view: findings(sized, axe) for view in _views(sized)}
    assert not any(found.values()), found


def _views(page: Page) -> Iterator[str]:
    """Open one view of the page after the other, by name."""
    yield "conversation"
    page.find("#message-box").send_keys("/", Keys.ARROW_DOWN)
    yield "commands"
    page.find("#message-box").send_keys(Keys.ESCAPE, Keys.BACKSPACE)
    page.script("[...document.querySelectorAll('.msg.own .bubble')].at(-1).click()")
    page.wait(lambda: page.all("#trace .verdict.bad"))
    page.browser.execute_script("for (const one of document.querySelectorAll('#trace details')) one.open = true")
    for pane in PANES:
        page.find(f"#tab-{pane}").click()
        page.wait(lambda pane=pane: page.find(f"#{pane}").text)
        yield pane
    page.key(Keys.ESCAPE)
    for button in ("bolt", "keys", "chart"):
        page.script(f"document.querySelector('#top .{button}').click()")
        yield f"dialog {button}"
        page.script("document.querySelector('dialog').close()")
    page.script("document.querySelector('#top .burger').click()")
    page.wait(lambda: page.find("#side .row").is_displayed())
    yield "sidebar"


@pytest.mark.parametrize("sized", [WIDE, NARROW], indirect=True, ids=["wide", "narrow"])
def test_axe_finds_nothing_on_other_platforms(sized: Page, axe: str) -> None:
    for platform in ("wecom", "wechat", "discord"):
        sized.stack.send("/card", room="private", platform=platform, sender=sized.person)
        sized.browser.execute_script(f"document.querySelector('[data-row=\"p-{platform}\"]').click()")
        sized.wait(lambda platform=platform: sized.script("document.body.dataset.platform") == platform)
        assert findings(sized, axe) == []
