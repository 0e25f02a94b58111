"""The texts of the help desk, in English and Chinese."""

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language. Words in braces are filled in."""

    topics: tuple[str, ...] = ("Computer", "Account", "Office", "Other")
    what_about: str = "What is it about?"
    what_happened: str = "What has happened?"
    picture: str = "Send a picture, if you have one."
    noted: str = "Your request has the number {number}. Somebody will write to you here."
    no_team: str = "There is no help desk here: the setting `teams` names no place of this app."
    title: str = "🆕 Request {number}"
    take: str = "Take it"
    taken: str = "👀 Request {number}: {name}"
    how_to_answer: str = "`/answer {number} TEXT`, then `/close {number}`"
    taken_already: str = "{name} has taken it already."
    waits: str = "⏰ Nobody has taken request {number} yet: {topic}"
    answer: str = "{name} on your request {number}: {text}"
    sent: str = "Sent."
    not_yours: str = "Request {number} is not open, or somebody else has taken it."
    gone: str = "Request {number} is not open."
    solved: str = "{name} thinks that your request {number} is solved. May it be closed?"
    not_solved: str = "Request {number} stays open: it is not solved."
    closed: str = "✅ Request {number}: {name}"
    goodbye: str = "Your request {number} is closed."
    added: str = "{name} on request {number}: {text}"
    passed_on: str = "The team has it, for your request {number}."
    hint: str = "Send /ask to ask the help desk."


ENGLISH = Words()
CHINESE = Words(
    topics=("电脑", "账号", "办公环境", "其他"),
    what_about="是哪方面的问题？",
    what_happened="发生了什么？",
    picture="如果有图片，请发送。",
    noted="您的请求编号是 {number}，同事会在这里联系您。",
    no_team="这里没有服务台：配置 `teams` 中没有这个应用的位置。",
    title="🆕 请求 {number}",
    take="我来处理",
    taken="👀 请求 {number}：{name}",
    how_to_answer="`/answer {number} 内容`，然后 `/close {number}`",
    taken_already="{name} 已经接手。",
    waits="⏰ 请求 {number} 还没有人处理：{topic}",
    answer="{name} 回复您的请求 {number}：{text}",
    sent="已发送。",
    not_yours="请求 {number} 不存在，或已由他人接手。",
    gone="请求 {number} 不存在或已关闭。",
    solved="{name} 认为您的请求 {number} 已解决。可以关闭吗？",
    not_solved="请求 {number} 仍然打开：还没有解决。",
    closed="✅ 请求 {number}：{name}",
    goodbye="您的请求 {number} 已关闭。",
    added="{name} 补充请求 {number}：{text}",
    passed_on="已转给同事，请求编号 {number}。",
    hint="发送 /ask 联系服务台。",
)
LANGUAGES = {"en": ENGLISH, "zh": CHINESE, "": ENGLISH}
