"""The texts that the library itself sends to people, in Chinese and English."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language. Words in braces are filled in; a text may leave them out.

    `wrong` gets one of the texts below it as `expected`.
    """

    apology: str = "Sorry, something went wrong; we will look into it."
    not_admin: str = "Only an administrator can do this."
    rooms_only: str = "This works in a group only, not in a direct chat."
    missing: str = "{name} is missing"
    too_many: str = "too many arguments: {rest}"
    wrong: str = "{name}: expected {expected}"
    choice: str = "one of {choices}"
    whole_number: str = "a whole number"
    number: str = "a number"
    decimal_places: str = "a number with at most {decimal_places} decimal places"
    truth: str = "yes or no"
    date: str = "a date such as 2026-12-31 or tomorrow"
    moment: str = "a time such as 2026-12-31 10:00 or tomorrow 10:00"
    time: str = "a time of the day such as 10:00 or 3:30pm"
    duration: str = "a duration such as 10m, 2h30m or 1d"
    person: str = "a mentioned person"
    greater_than: str = "a value greater than {gt}"
    greater_than_equal: str = "a value of at least {ge}"
    less_than: str = "a value less than {lt}"
    less_than_equal: str = "a value of at most {le}"
    multiple_of: str = "a multiple of {multiple_of}"
    pattern: str = "a text of the form {pattern}"
    uuid: str = "an id such as 123e4567-e89b-12d3-a456-426614174000"
    address: str = "an address such as https://example.com"
    other: str = "another value"
    too_short: str = "at least {min_length} characters or items"
    too_long: str = "at most {max_length} characters or items"
    did_you_mean: str = "Did you mean one of these?"
    which_first: str = "These are several things. Which one comes first?"
    none_of_these: str = "None of these"
    say_otherwise: str = "Please say it in other words."
    no_answer: str = "Please write an answer."
    write_answer: str = "Answer"
    send_number: str = "send the number"
    fill_in: str = "send {number} and then, each on a line of its own: {inputs}"
    optional: str = "or -"
    cancelled: str = "Cancelled."
    still_there: str = "I am still waiting for your answer."
    cancel: str = "Write /cancel to stop."
    cancel_or_back: str = "Write /cancel to stop, or /back for the question before."
    no_back: str = "There is no question to go back to."
    timed_out: str = "There was no answer, so I have stopped asking."
    question_over: str = "This question is no longer open, or is for somebody else."
    script_changed: str = "I have changed since my last question. Please start again."
    right_lost: str = "You are not allowed to do this any more, so it has not been done."
    stopped: str = "Stopped."
    nothing_runs: str = "There is nothing to stop."
    failed: str = "Something went wrong, so this has ended. Please start again."
    skip: str = "Skip"
    no_file: str = "Please send a file of the right kind."
    approve: str = "Approve"
    reject: str = "Reject"
    withdraw: str = "Withdraw"
    waits: str = "This waits for an approval."
    approved: str = "Approved"
    rejected: str = "Rejected"
    withdrawn: str = "Withdrawn"
    timed_out_approval: str = "Nobody has decided in time"
    not_done: str = "Could not be done"
    not_delivered: str = "This could not be shown to those who decide, so it has ended."
    not_yours: str = "You cannot decide this."
    decided: str = "This is decided already."
    many_approvals: str = "Too many of your requests wait for an approval here."
    login_question: str = "Please log in, so that I can go on in your name."
    log_in: str = "Log in"
    no_login: str = "Not now"
    logged_in: str = "Logged in"
    login_refused: str = "Login refused"
    login_timed_out: str = "Nobody has logged in in time"
    login_needed: str = "Your login is missing or has ended. Please start again, and log in."
    person_quota: str = "You have sent {limit} messages today, which is the limit. Please go on tomorrow."
    room_quota: str = "This room has sent {limit} messages today, which is the limit. Please go on tomorrow."
    stranger: str = "I do not know you yet. Ask an administrator for a code, and write /pair CODE to me."
    new_code: str = "Code: {code}. It works once, within an hour. The new person writes to me: /pair {code}"
    paired: str = "Welcome. You can use me now."
    wrong_code: str = "This code is wrong or has expired."
    too_many_codes: str = "Too many wrong codes today. Please try again tomorrow."
    nobody_paired: str = "Nobody is paired."
    unpaired: str = "The pairing has ended."
    model_down: str = "The language model does not answer at the moment. Please try again later."
    model_refused: str = "The language model does not answer this."
    model_lost: str = "I have stopped: this took too many steps. Please ask for less at once."
    model_question: str = "Shall I do this?"
    approved_failed: str = "This was approved, but it has failed: {call}"
    person_tokens: str = (
        "You have used {limit} tokens of the language model today, which is the limit. Please go on tomorrow."
    )
    room_tokens: str = (
        "This room has used {limit} tokens of the language model today, which is the limit. Please go on tomorrow."
    )
    too_much: str = "This is too much to store. Please send less."
    long_reminder: str = "This is too long for a reminder."
    many_reminders: str = (
        "There are {limit} reminders and open questions here, which is the limit. Please cancel one first."
    )
    reminders_at_once: str = "At most {limit} reminders can be set or cancelled at once."
    far_reminder: str = "This time is too far away for a reminder."
    not_paired: str = "There is no paired person with this id. /paired lists them."


ENGLISH = Texts()
CHINESE = Texts(
    apology="抱歉，出错了，我们会处理。",
    not_admin="只有管理员可以这样做。",
    rooms_only="只能在群聊中使用。",
    missing="缺少参数 {name}",
    too_many="多余的参数：{rest}",
    wrong="{name}：应为{expected}",
    choice="以下之一：{choices}",
    whole_number="整数",
    number="数字",
    decimal_places="最多 {decimal_places} 位小数的数字",
    truth="“是”或“否”",
    date="日期，例如 2026-12-31 或 明天",
    moment="时间，例如 2026-12-31 10:00 或 明天 10:00",
    time="时刻，例如 10:00 或 下午3点",
    duration="时长，例如 10分钟、2小时30分、1天",
    person="一位被 @ 的成员",
    greater_than="大于 {gt} 的值",
    greater_than_equal="不小于 {ge} 的值",
    less_than="小于 {lt} 的值",
    less_than_equal="不大于 {le} 的值",
    multiple_of="{multiple_of} 的倍数",
    pattern="符合 {pattern} 的文本",
    uuid="编号，例如 123e4567-e89b-12d3-a456-426614174000",
    address="网址，例如 https://example.com",
    other="其他值",
    too_short="至少 {min_length} 个字符或条目",
    too_long="最多 {max_length} 个字符或条目",
    did_you_mean="您是想问以下哪一项？",
    which_first="您提到了几件事，先处理哪一件？",
    none_of_these="都不是",
    say_otherwise="请换一种说法。",
    no_answer="请输入回答。",
    write_answer="回答",
    send_number="请回复编号",
    fill_in="请回复 {number}，然后每行一项：{inputs}",
    optional="可填 -",
    cancelled="已取消。",
    still_there="我还在等待您的回答。",
    cancel="输入 /取消 可结束。",
    cancel_or_back="输入 /取消 可结束，输入 /返回 可回到上一个问题。",
    no_back="没有可以返回的问题。",
    timed_out="没有收到回答，已结束提问。",
    question_over="这个问题已经结束，或者不是问您的。",
    script_changed="机器人已更新，请重新开始。",
    right_lost="您已没有权限执行此操作，因此未执行。",
    stopped="已停止。",
    nothing_runs="没有可以停止的任务。",
    failed="出错了，流程已结束，请重新发起。",
    skip="跳过",
    no_file="请发送正确类型的文件。",
    approve="同意",
    reject="拒绝",
    withdraw="撤回",
    waits="正在等待审批。",
    approved="已同意",
    rejected="已拒绝",
    withdrawn="已撤回",
    timed_out_approval="超时未审批",
    not_done="未能完成",
    not_delivered="审批卡片无法送达，流程已结束。",
    not_yours="您不能审批此项。",
    decided="此项已有结果。",
    many_approvals="您在这里等待审批的请求太多了。",
    login_question="请先登录，以便我以您的身份继续。",
    log_in="登录",
    no_login="暂不登录",
    logged_in="已登录",
    login_refused="已拒绝登录",
    login_timed_out="登录超时",
    login_needed="您尚未登录，或登录已失效。请重新发起并登录。",
    person_quota="您今天已发送 {limit} 条消息，达到上限，请明天再来。",
    room_quota="本群今天已发送 {limit} 条消息，达到上限，请明天再来。",
    stranger="我还不认识您。请向管理员索取配对码，然后给我发送 /pair 配对码。",
    new_code="配对码：{code}，一小时内有效，只能使用一次。请新用户给我发送：/pair {code}",
    paired="欢迎，您现在可以使用我了。",
    wrong_code="配对码错误或已过期。",
    too_many_codes="今天输错的次数过多，请明天再试。",
    nobody_paired="还没有已配对的用户。",
    unpaired="已取消配对。",
    model_down="语言模型暂时没有回应，请稍后再试。",
    model_refused="语言模型不回答这个问题。",
    model_lost="步骤太多，已停止。请把问题拆小一些再问。",
    model_question="要执行以下操作吗？",
    approved_failed="以下操作已获同意，但执行失败：{call}",
    person_tokens="您今天已使用语言模型 {limit} 个 token，达到上限，请明天再来。",
    room_tokens="本群今天已使用语言模型 {limit} 个 token，达到上限，请明天再来。",
    too_much="内容太多，无法保存，请减少后重试。",
    long_reminder="提醒的内容太长。",
    many_reminders="这里的提醒和未回答的问题已有 {limit} 个，达到上限，请先取消一个。",
    reminders_at_once="一次最多设置或取消 {limit} 个提醒。",
    far_reminder="提醒的时间太远。",
    not_paired="没有这个 id 的已配对用户，用 /paired 查看列表。",
)
_EXPECTED = (
    *("whole_number", "number", "decimal_places", "truth", "date", "moment", "time", "duration", "person"),
    *("greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of"),
    *("pattern", "uuid", "address", "other", "too_short", "too_long"),
)
"""The texts that `wrong` gets as `expected`, beside `choice`."""


def _both(name: str) -> str:
    """The text in both languages."""
    chinese, english = getattr(CHINESE, name), getattr(ENGLISH, name)
    if name in _EXPECTED:
        return f"{chinese} (expected {english})"
    return (
        f"{chinese} ({english})"
        if name in ("missing", "too_many", "send_number", "optional")
        else f"{chinese} {english}"
    )


BOTH = Texts(
    **{name: _both(name) for name in Texts.__struct_fields__}
    | {
        "wrong": CHINESE.wrong,
        "choice": "以下之一 (expected one of): {choices}",
        "fill_in": "请回复 {number}，然后每行一项 (send {number}, then one item a line): {inputs}",
    }
)
"""The texts for a person whose language is not known."""

LANGUAGES: Mapping[str, Texts] = {"zh": CHINESE, "en": ENGLISH, "": BOTH}
"""By the first part of the locale. The empty one is for all other locales."""


def texts_for(locale: str, languages: Mapping[str, T]) -> T:
    """The value of `languages` for a locale such as `zh-CN` or `en_US`; that of `""` for every other locale."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return languages.get(language) or languages[""]


def check_texts(languages: Mapping[str, Texts]) -> None:
    """Raise TypeError unless all values are `Texts`, and ValueError for a key that is no language, and for words in
    braces that are not filled in.
    """
    if not isinstance(languages, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError('write texts={"en": Texts(...)}')
    for language, texts in languages.items():
        if language and not (language.isascii() and language.isalpha() and language.islower() and len(language) <= 3):
            raise ValueError(f'texts[{language!r}]: write a language such as "en" or "zh", or "" for all others')
        if not isinstance(texts, Texts):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"texts[{language!r}] is no Texts: write Texts(...)")
        for field in Texts.__struct_fields__:
            known = _places(getattr(ENGLISH, field))
            wrong = _places(getattr(texts, field)) - known
            if wrong:
                possible = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
                raise ValueError(f"texts[{language!r}].{field} has {{{min(wrong)}}}; possible are: {possible}")


def _places(text: str) -> set[str]:
    """The words in braces."""
    from string import Formatter  # noqa: PLC0415  # most bots replace no text

    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
