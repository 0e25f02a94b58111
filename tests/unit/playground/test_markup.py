"""The markup of messages: what the page gets, for each client."""

from playground.platforms.discord.parts import parts_of as discord_parts
from playground.platforms.feishu.parts import parts_of as feishu_parts
from playground.platforms.tencent import parts as tencent_parts


def name_of(id_: str) -> str:
    return {"1": "Lin"}.get(id_, id_)


def test_discord_escapes_are_in_the_source_only() -> None:
    (part,) = discord_parts({"content": r"\*no\* <@1> \<b>"}, name_of, "")
    assert (part["text"], part["source"]) == ("*no* @Lin <b>", r"\*no\* @Lin \<b>")
    assert part["dialect"] == "discord"


def test_only_texts_of_apps_have_markup_on_feishu() -> None:
    for person, dialect in ((True, "plain"), (False, "feishu_text")):
        (part,) = feishu_parts("text", {"text": "<b>x</b>"}, [], name_of, person=person)
        assert part == {"kind": "text", "text": "<b>x</b>", "dialect": dialect}


def test_plain_elements_of_a_post_are_no_markdown() -> None:
    row = [{"tag": "text", "text": "**a** <b>"}, {"tag": "md", "text": "**b**"}]
    (part,) = feishu_parts("post", {"zh_cn": {"content": [row]}}, [], name_of)
    assert part["text"] == "**a** <b>**b**"
    assert part["source"] == "&#42;&#42;a&#42;&#42; &#60;b&#62;**b**"


def test_a_card_has_markdown_and_plain_text() -> None:
    elements = [
        {"tag": "markdown", "content": "**a** &#42; <at id=1></at>"},
        {"tag": "div", "text": {"tag": "plain_text", "content": "**b**"}},
    ]
    (card,) = feishu_parts("interactive", {"elements": elements}, [], name_of)
    markdown, text = card["blocks"]
    assert (markdown["text"], markdown["source"]) == ("**a** * @Lin", "**a** &#42; @Lin")
    assert text == {"kind": "text", "text": "**b**"}


def test_markdown_of_wecom_has_its_own_dialect() -> None:
    (part,) = tencent_parts.of_app("markdown", {"content": "**a**"})
    assert part == {"kind": "markdown", "text": "**a**", "dialect": "wecom"}


def test_a_backslash_in_code_of_discord_is_shown() -> None:
    (part,) = discord_parts({"content": 'a \\*b\\* `c\\"` \\`d\\`\n```\ne\\" \\*f\n```'}, str, "")
    assert part["text"] == 'a *b* `c\\"` `d`\n```\ne\\" \\*f\n```'
