"""Votes, multiple choices and facts of template cards: their validation, and the choices of a person.

Facts: WeCom docs, Send application messages › Template cards › Vote, Multiple choice.
"""

from collections.abc import Mapping
from typing import Any

from playground.platforms.base import NotFoundError, Press
from playground.platforms.tencent.errors import TencentError

_FACTS, _VOTES, _MENUS, _CHOICES, _KEY, _ID = 6, 20, 3, 10, 1024, 128


def invalid(what: str) -> TencentError:
    """The error for a field of a template card."""
    return TencentError(40058, f"invalid Request Parameter: template_card.{what}")


def check(card: Mapping[str, Any]) -> None:
    """Raises TencentError for facts, a vote or menus that WeCom refuses."""
    facts = card.get("horizontal_content_list") or []
    if len(facts) > _FACTS or not all(fact.get("keyname") for fact in facts):
        raise invalid("horizontal_content_list")
    match card["card_type"]:
        case "vote_interaction":
            _check_menu(card.get("checkbox"), _VOTES, "checkbox")
        case "multiple_interaction":
            menus = card.get("select_list")
            if not isinstance(menus, list) or not 1 <= len(menus) <= _MENUS:
                raise invalid("select_list")
            for menu in menus:
                _check_menu(menu, _CHOICES, "select_list")
        case _:
            return
    submit = card.get("submit_button") or {}
    if not submit.get("text") or not 0 < len(str(submit.get("key") or "").encode()) <= _KEY:
        raise invalid("submit_button")


def _check_menu(menu: Any, most: int, where: str) -> None:
    options = menu.get("option_list") if isinstance(menu, dict) else None
    if not options or len(options) > most or not 0 < len(str(menu.get("question_key") or "").encode()) <= _KEY:
        raise invalid(where)
    ids = {str(option.get("id") or "") for option in options}
    fit = all(0 < len(id_.encode()) <= _ID for id_ in ids) and all(option.get("text") for option in options)
    if len(ids) < len(options) or not fit:
        raise invalid(f"{where}.option_list")


def name_of(card: Mapping[str, Any]) -> str:
    """What a vote or several menus ask for: the second line, if the card has two."""
    title = card["main_title"]
    return str(title.get("desc") or title["title"])


def menus_of(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The vote or the menus of a card."""
    return [*([card["checkbox"]] if card.get("checkbox") else []), *(card.get("select_list") or ())]


def answers(card: Mapping[str, Any], press: Press) -> dict[str, list[str]]:
    """What a person has chosen, by question. `press.options` are choices of a vote. Raises NotFoundError."""
    given: dict[str, Any] = dict(press.form)
    vote = card.get("checkbox")
    if vote and press.options:
        given[vote["question_key"]] = list(press.options)
    chosen = {question: value if isinstance(value, list) else [str(value)] for question, value in given.items()}
    for menu in menus_of(card):
        offered = [option["id"] for option in menu["option_list"]]
        ticked = chosen.setdefault(menu["question_key"], [menu["selected_id"]] if menu.get("selected_id") else [])
        if len(ticked) != 1 or ticked[0] not in offered:
            raise NotFoundError(f"choose one of {', '.join(offered)} for {menu['question_key']}")
    return chosen
