"""Finds the button that a press names."""

from collections.abc import Iterable, Sequence

from playground.platforms.model import NamedButton


def find_number(button: NamedButton, buttons: Iterable[Sequence[str]]) -> int | None:
    """The number of the button that `button` names, counted from 0; None if there is none.

    `buttons` has the names of each button: first its id, then its label, then others. A text is an id if a button has
    it, else a label, and so on; a text that no button has can be a number.
    """
    listed = list(buttons)
    if isinstance(button, int):
        return button if 0 <= button < len(listed) else None
    ranked = [
        (rank, number) for number, names in enumerate(listed) for rank, name in enumerate(names) if name == button != ""
    ]
    if ranked:
        return min(ranked)[1]
    return next((number for number in range(len(listed)) if str(number) == button), None)
