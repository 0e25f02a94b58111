"""The texts of the stand-up, in English and Chinese."""

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language. Words in braces are filled in."""

    title: str = "☀️ Stand-up"
    call: str = "What have you done, and what is next? Press the button, or send `/did TEXT`."
    button: str = "Answer"
    did: str = "What have you done?"
    next: str = "What is next?"
    last: str = "Last time you planned: {plan}"
    noted: str = "Noted, thank you."
    summary: str = "📋 Stand-up of {day}"
    nobody: str = "Nobody has answered."
    skipped: str = "There is no stand-up on {day}."
    later: str = "The summary of today comes at {time}."
    tomorrow: str = "The summary has to come today."


ENGLISH = Words()
CHINESE = Words(
    title="☀️ 每日站会",
    call="做了什么？接下来做什么？请按按钮，或发送 `/did 内容`。",
    button="填写",
    did="做了什么？",
    next="接下来做什么？",
    last="上次的计划：{plan}",
    noted="已记录，谢谢。",
    summary="📋 {day} 站会",
    nobody="没有人填写。",
    skipped="{day} 没有站会。",
    later="今天的汇总在 {time} 发布。",
    tomorrow="汇总必须在今天发布。",
)
LANGUAGES = {"en": ENGLISH, "zh": CHINESE, "": ENGLISH}
