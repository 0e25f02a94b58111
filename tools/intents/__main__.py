"""Measures how well intents are found in the labelled messages of `tools/intents/data`: `python -m tools.intents`.

Each set is a bot of its own, with 12 intents and 10 examples for each. `docs/intents.md` holds the figures.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial

from parley.intents.matcher import THRESHOLD, Matcher, meant
from tools.intents import candidates, report
from tools.intents.figures import (
    AIMED_AT,
    LENIENT,
    Figures,
    at_rejected,
    figures,
    figures_of_parts,
    guesses,
    how_hard,
)
from tools.intents.sets import Labelled, labelled, together
from tools.intents.tuning import REJECTED, steps

_RUNS = 20
_HEADER = f"  {'':20s}   best  right  precision  rejected"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.intents", description=__doc__)
    parser.add_argument("--tune", action="store_true", help="print the thresholds of the cross-validation only")
    parser.add_argument("--dev", action="store_true", help="measure the part for development, not the test part")
    parser.add_argument("--wrong", action="store_true", help="print the messages that get a wrong intent")
    parser.add_argument(
        "--write", action="store_true", help="write the tables into docs/intents.md and its translation"
    )
    parser.add_argument("--vectors", action="store_true", help="make the vectors of words again")
    arguments = parser.parse_args()
    if arguments.vectors:
        from tools.intents import vectors  # noqa: PLC0415  # most runs do not need it

        vectors.main()
        return
    if arguments.write:
        report.write(labelled("test"))
        return
    if arguments.tune:
        _print_steps()
        return
    sets = labelled("dev" if arguments.dev else "test")
    sets.append(together(sets))
    for each in sets:
        inside = len(each.messages) - each.outside
        print(f"\n{each.name}: {len(each.examples)} intents, {inside} messages, {each.outside} that fit none")
        _print_figures(each)
        _print_hardness(each)
        _print_offered(each)
        if arguments.wrong:
            _print_wrong(each)
    _print_times(sets)


def _print_steps() -> None:
    """The thresholds of the cross-validation, and what each of them does to the messages of the development part."""
    print(_HEADER)
    for step, threshold, found in steps(labelled("dev"), candidates.ours):
        print(_line(f"{step:.2f}: {threshold:.3f}{' (chosen)' if step == REJECTED else ''}", found))


def _print_figures(each: Labelled) -> None:
    ours = figures(guesses(each, candidates.ours(each.examples)), THRESHOLD)
    print(_HEADER)
    print(_line(f"at {THRESHOLD}", ours))
    for name, train in candidates.possible().items():
        print(_line(name, at_rejected(each, train)))


def _print_hardness(each: Labelled) -> None:
    """How hard the set is for simple ways, beside the set that the aim is about."""
    print(f"  how hard it is: right if nothing is rejected, and at {LENIENT} rejected (on the set of the aim)")
    for name, train in candidates.possible().items():
        if name in AIMED_AT:
            here, there = how_hard(each, train), filter(None, AIMED_AT[name])
            print(f"  {name:20s}  {', '.join(here)}  ({', '.join(there)})")


def _line(name: str, found: Figures) -> str:
    return f"  {name:20s}  {found.best:5.2f}  {found.right:5.2f}  {found.precision:9.2f}  {found.rejected:8.2f}"


def _print_offered(each: Labelled) -> None:
    """What a person sees: one intent at once, or a choice of some."""
    matcher = Matcher(each.examples)
    found = [(intent, meant(matcher.ranked(text))) for text, intent in each.messages]
    inside = [(intent, names) for intent, names in found if intent]
    share = {
        "right at once": sum(names == [intent] for intent, names in inside),
        "wrong at once": sum(len(names) == 1 and names != [intent] for intent, names in inside),
        "right is offered": sum(len(names) > 1 and intent in names for intent, names in inside),
    }
    print("  " + ", ".join(f"{name} {count / len(inside):.2f}" for name, count in share.items()))
    one, divided = figures_of_parts(each, matcher)
    print(f"  {len(divided)} of {one} messages with one intent are taken for several")


def _print_wrong(each: Labelled) -> None:
    matcher = Matcher(each.examples)
    for text, intent in each.messages:
        names = meant(matcher.ranked(text))
        if (intent not in names) if intent else names:
            print(f"    {text!r}: {intent or 'none'}, found {names or 'none'}")


def _print_times(sets: Iterable[Labelled]) -> None:
    print("\ntimes (medians)")
    for each in sets:
        loads = [_seconds(partial(Matcher, each.examples)) for _ in range(_RUNS)]
        matcher = Matcher(each.examples)
        calls = [_seconds(partial(matcher.ranked, text)) for text, _ in each.messages]
        load, call, slowest = (f"{s * 1e3:.2f} ms" for s in (*map(statistics.median, (loads, calls)), max(calls)))
        print(f"  {each.name:12s} {len(each.examples)} intents: load {load}, {call} a message, slowest {slowest}")


def _seconds(function: Callable[[], object]) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


if __name__ == "__main__":
    main()
