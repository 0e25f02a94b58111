"""The matcher of intents and the labelled messages that measure it."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.resources import files

import pytest

from parley.intents.clauses import clauses
from parley.intents.features import LONGEST, features, lines_of
from parley.intents.matcher import THRESHOLD, Matcher, confidence, meant
from parley.intents.meanings import DIMENSIONS, dot, meaning
from tests.linear import assert_linear
from tests.template import ROOT
from tools.intents import candidates, figures, tuning
from tools.intents.sets import Labelled, labelled, together

DOCUMENTS = sorted((ROOT / "docs").glob("intents*.md"))
DEV, TEST = labelled("dev"), labelled("test")
SETS = pytest.mark.parametrize("labels", [*DEV, *TEST], ids=lambda each: each.name)


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def test_the_labelled_messages_are_many_in_both_languages_and_a_quarter_fits_none() -> None:
    every = together(TEST)
    assert len(every.examples) >= 20
    assert len(every.messages) >= 400
    assert every.outside >= len(every.messages) / 4
    chinese = sum(any("\u4e00" <= c <= "\u9fff" for c in text) for text, _ in every.messages)
    assert 0.4 < chinese / len(every.messages) < 0.6


@SETS
def test_no_labelled_message_is_an_example_or_comes_twice(labels: Labelled) -> None:
    examples = [plain(text) for texts in labels.examples.values() for text in texts]
    messages = [plain(text) for text, _ in labels.messages]
    assert len({*examples, *messages}) == len(examples) + len(messages)
    assert not {*messages} & {plain(line) for line in lines_of("background.txt")}
    assert all(len(texts) == 10 for texts in labels.examples.values())


def test_the_threshold_comes_from_a_cross_validation_that_reads_examples_of_the_dev_part_only() -> None:
    allowed = {text for each in DEV for texts in each.examples.values() for text in texts}
    read: set[str] = set()

    def train(examples: "tuning.Examples") -> figures.Guesser:
        read.update(text for texts in examples.values() for text in texts)
        guess = candidates.ours(examples)

        def recorded(text: str) -> figures.Guess:
            read.add(text)
            return guess(text)

        return recorded

    threshold = tuning.tuned((each.examples for each in DEV), train)
    assert read == allowed
    assert round(threshold, 3) == THRESHOLD


def test_the_share_to_reject_is_the_least_that_rejects_enough_messages_of_the_dev_part() -> None:
    enough = (step for step, _, found in tuning.steps(DEV, candidates.ours) if found.rejected >= figures.AIM)
    assert next(enough) == tuning.REJECTED


@pytest.mark.parametrize("labels", TEST, ids=lambda each: each.name)
def test_the_documents_have_the_figures_of_the_matcher(labels: Labelled) -> None:
    found = figures.figures(figures.guesses(labels, candidates.ours(labels.examples)), THRESHOLD)
    shown = " | ".join(f"{share:.2f}" for share in (found.best, found.right, found.precision, found.rejected))
    for document in DOCUMENTS:
        rows = [line for line in document.read_text().splitlines() if line.startswith(f"| `{labels.name}`")]
        assert [row for row in rows if row.endswith(f"| {shown} |")]


def test_the_aim_is_met_on_a_set_that_is_harder_for_n_grams_than_the_set_of_the_aim() -> None:
    telephone = next(each for each in TEST if each.name == "telephone")
    simple = figures.how_hard(telephone, candidates.nearest)
    assert all(here < there for here, there in zip(simple, figures.AIMED_AT["n-grams, nearest"], strict=True))
    found = figures.figures(figures.guesses(telephone, candidates.ours(telephone.examples)), THRESHOLD)
    assert found.right >= 0.85
    assert found.rejected >= figures.AIM


@pytest.mark.parametrize("labels", TEST, ids=lambda each: each.name)
def test_the_documents_say_how_hard_each_set_is(labels: Labelled) -> None:
    shown = " | ".join(figures.how_hard(labels, candidates.nearest))
    for document in DOCUMENTS:
        table = document.read_text().partition("<!-- hardness -->")[2].partition("<!-- end of hardness -->")[0]
        assert f"\n| `{labels.name}` | {shown} | " in table


def test_the_environment_of_the_measurement_has_all_that_it_imports() -> None:
    """It is an environment of its own: `requirements/intents.txt`. All other packages are hidden here."""
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "intents.txt").read_text(), re.MULTILINE))
    of_module = packages_distributions()
    hidden = {module for module, packages in of_module.items() if not {each.lower() for each in packages} & pinned}
    code = "import sys; sys.modules |= dict.fromkeys(sys.argv[1:]); import tools.intents.__main__"
    command = [sys.executable, "-c", code, *(hidden - {"parley"})]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "shared"), str(ROOT)))}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


@pytest.mark.parametrize("labels", [*DEV, *TEST], ids=lambda each: each.name)
def test_a_labelled_message_with_one_intent_is_hardly_ever_taken_for_several(labels: Labelled) -> None:
    one, divided = figures.figures_of_parts(labels, Matcher(labels.examples))
    assert one > 30
    assert len(divided) <= 1, divided


def test_the_same_text_has_the_same_scores_in_every_matcher() -> None:
    examples = DEV[0].examples
    first, second = (Matcher(examples).ranked("my printer and my password") for _ in range(2))
    assert first == second
    turned = {name: tuple(reversed(texts)) for name, texts in examples.items()}
    assert [each.name for each in Matcher(turned).ranked("my printer")] == [
        each.name for each in Matcher(examples).ranked("my printer")
    ]


@pytest.mark.parametrize("text", ["", "👍" * 50_000, "\x00\x1b[31m\u202e", "\ud800", "?!", "ﷺ" * 100_000])
def test_a_text_without_words_fits_nothing(text: str) -> None:
    ranked = Matcher(DEV[0].examples).ranked(text)
    assert confidence(ranked) < THRESHOLD
    assert meant(ranked) == []


@pytest.mark.parametrize("unit", ["a", "密", "password ", "忘记密码", "1", "ﷺ", "a-", "'", "12月", "一", "半"])
def test_the_time_does_not_grow_faster_than_the_text(unit: str) -> None:
    matcher = Matcher(DEV[0].examples)
    assert_linear(matcher.ranked, lambda size: unit * (size // len(unit)), small=50_000, large=200_000)
    assert len(features(unit * 100_000)) == len(features(unit * LONGEST))


def test_each_word_has_one_vector():
    known = lines_of("words.txt")
    assert len(known) == len({*known})
    vectors = files("parley.intents").joinpath("vectors.bin").read_bytes()
    assert len(vectors) == len(known) * DIMENSIONS


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [("refund", "退款", "weather"), ("doctor", "医院", "音乐"), ("the train is late", "火车晚点", "a cup of tea")],
)
def test_near_meanings_have_near_vectors_in_both_languages(text: str, near: str, far: str) -> None:
    about = meaning(text)
    assert dot(about, about) == pytest.approx(1)
    assert dot(about, meaning(near)) > dot(about, meaning(far)) + 0.1


@pytest.mark.parametrize("text", ["", "👍", "12 34", "qqqqzzzz"])
def test_a_text_without_known_words_is_about_nothing(text: str) -> None:
    assert dot(meaning(text), meaning("refund")) == 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("is it open today and remind me at 9", ["is it open today", "remind me at 9"]),
        ("会下雨吗，顺便提醒我", ["会下雨吗", "提醒我"]),
        ("what's the weather like?", []),
        ("please, wait", []),
        ("and, then; also.", []),
        ("it costs 1,500.50 at 10:30", []),
        ("我卡上还有多少钱", []),
        ("天气怎么样还有提醒我", ["天气怎么样", "提醒我"]),
        ("明天再见一次面和平路上", []),
        ("订桌子再提醒我", ["订桌子", "提醒我"]),
        ("", []),
    ],
)
def test_the_parts_of_a_text(text: str, parts: list[str]) -> None:
    assert clauses(text) == parts


@pytest.mark.parametrize(
    ("text", "value", "parts"),
    [
        ("wake me in two and a half hours", "two and a half hours", []),
        ("wake me, in an hour and a half", "an hour and a half", []),
        ("in an hour and a half, wake me", "an hour and a half", []),
        (
            "in 2 hours, wake me and is it open",
            "2 hours",
            ["in 2 hours, wake me", "is it open"],
        ),
        (
            "is it open and wake me, in 2 hours and 5 minutes, please",
            "2 hours and 5 minutes",
            ["is it open", "wake me, in 2 hours and 5 minutes"],
        ),
    ],
)
def test_a_value_is_not_split_and_stays_with_its_part(text: str, value: str, parts: list[str]) -> None:
    start = text.index(value)
    assert clauses(text, [(start, start + len(value))]) == parts


def test_a_matcher_without_intents_means_nothing() -> None:
    assert meant(Matcher({}).ranked("hello")) == []
    assert confidence(()) == 0.0
