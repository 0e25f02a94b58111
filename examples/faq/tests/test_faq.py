"""Questions to the library. `make test-bot BOT=examples/faq` runs this."""

import pytest

from bot import bot
from parley.testing import PLATFORMS, Chat

EVERYWHERE = pytest.mark.parametrize("platform", PLATFORMS)


@EVERYWHERE
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("are you open on 2027-01-20?", "On 2027-01-20 the library is open from 9:00"),
        ("do you open on 2027-01-24", "On 2027-01-24 the library is closed"),
        ("how can I renew my book", "My loans"),
        ("I am 5 days late with a book, the fine?", "1.00"),
        ("my card is gone, I lost it", "We block a lost card"),
        ("who wrote Hamlet", "Ask me in your own words"),
    ],
)
def test_a_question_is_answered(platform: str, question: str, answer: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/lang en")
    chat.expect("I answer in English from now on.")
    chat.say(f"/ask {question}")
    chat.expect(contains=answer)


@EVERYWHERE
def test_a_person_switches_the_language(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/lang zh")
    chat.expect("之后我用中文回答。")
    chat.say("/ask can I become a member")
    chat.expect(contains="身份证")
    chat.say("/lang en")
    chat.expect("I answer in English from now on.")
    chat.say("/ask 怎么办证")
    chat.expect(contains="identity card")
    assert chat.user == {"language": "en"}


@EVERYWHERE
def test_a_missing_day_is_asked(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/lang en")
    chat.expect("I answer in English from now on.")
    chat.say("/ask opening hours please")
    chat.expect(contains="Which day?")
    if platform == "discord":
        chat.press("Answer")
        chat.expect(contains="Answer")
        chat.submit({"answer": "2027-01-20"})
    else:
        chat.say("2027-01-20")
    chat.expect(contains="9:00")


@EVERYWHERE
def test_the_bot_asks_which_of_two_questions_is_meant(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/lang en")
    chat.expect("I answer in English from now on.")
    chat.say("/ask do I need a card")
    chat.expect(contains="Did you mean")
    chat.press("Lost card")
    chat.expect(contains="A new card costs 3.00")


@pytest.mark.parametrize("platform", ["feishu", "wechat", "wecom"])
def test_plain_text_needs_no_command(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/lang zh")
    chat.expect("之后我用中文回答。")
    chat.say("书超期10天了要交多少钱")
    chat.expect("逾期每天 0.20 元。逾期 10 天共 2.00 元。")
    chat.say("今天天气怎么样")
    chat.expect(contains="请直接提问")


def test_the_language_of_the_question_counts_until_the_person_chooses_one() -> None:
    chat = Chat(bot, "wecom")
    chat.say("借书证不见了")
    chat.expect(contains="挂失")
