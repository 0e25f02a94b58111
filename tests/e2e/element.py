"""An element of a page that is drawn again at any time."""

from collections.abc import Callable
from typing import Any, TypeVar

from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")


class Element(WebElement):
    """The element that `find` finds. If the page has replaced it, it is found again before it is used. A click waits
    until nothing lies over the element.
    """

    def __init__(self, find: Callable[[], WebElement]) -> None:
        found = find()
        super().__init__(found.parent, found.id)
        self._find = find

    def _current(self, use: Callable[[], T]) -> T:
        while True:
            try:
                return use()
            except StaleElementReferenceException:
                self._id = self._find().id

    def _execute(self, command: str, params: dict[str, Any] | None = None) -> Any:
        return self._current(lambda: WebElement._execute(self, command, params))  # type: ignore[attr-defined]

    def click(self) -> None:
        """Click the element."""

        def clicked() -> bool:
            WebElement.click(self)
            return True

        WebDriverWait(self.parent, 30, 0.05, [ElementClickInterceptedException]).until(lambda _: clicked())

    def is_displayed(self) -> bool:
        """Whether the element is visible."""
        return self._current(lambda: WebElement.is_displayed(self))

    def get_attribute(self, name: str) -> str | None:
        """The value of an attribute or a property."""
        return self._current(lambda: WebElement.get_attribute(self, name))

    def find_element(self, by: str | By = By.ID, value: str | None = None) -> "Element":
        """The first element in this one that matches."""
        return Element(lambda: WebElement.find_element(self, by, value))
