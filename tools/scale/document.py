"""The text of docs/scale.md."""

from collections.abc import Iterable, Sequence

from tools.scale import model
from tools.scale.arrivals import Outcome
from tools.scale.model import QUOTAS, RATES, Needs, Resource

_APPS = 20
"""Apps of the example with configurations."""
_COLUMNS = (
    "messages, 1,000 a second",
    "apps of Feishu",
    "people",
    "way",
    "lost",
    "repeated",
    "out of order",
    "waiting at the last message",
    "seconds until the last reply",
    "most writes of one row of a limit in a second",
    "of any row",
)
_LINE = "|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|"


def document(need: Needs, tried: Sequence[Outcome]) -> str:
    """The text of docs/scale.md. `tried`: see `tools.scale.trials`."""
    executions = need.callback_seconds + need.processor_seconds
    return _TEXT.format(
        callback=need.callback_seconds,
        processor=need.processor_seconds,
        deliverer=need.deliverer_seconds,
        writes=need.write_units,
        queued_writes=need.queued_write_units,
        reads=need.read_units,
        executions=executions,
        settings=_table(model.first_to_break(model.settings(need))),
        quotas=_table(model.first_to_break(model.quotas(need))),
        platforms="\n".join(
            f"| {name} | {limit:,} | {limit / 60:.0f} | {1000 / (limit / 60):.0f} |"
            for name, limit in QUOTAS["platforms"].items()
        ),
        chapters="\n\n".join(_chapter(rate, need) for rate in RATES),
        conversation=model.conversation_rate(need),
        group=QUOTAS["queue"]["requests of a kind a second in a conversation"],
        cold=model.cold_reads_a_second(),
        ssm=QUOTAS["account"]["SSM reads a second"],
        ssm_high=QUOTAS["account"]["SSM reads a second, higher throughput"],
        apps=_APPS,
        busy=executions * 1000,
        configurations=model.configurations_a_second(executions * 1000, _APPS),
        date=QUOTAS["date"],
        columns=f"| {' | '.join(_COLUMNS)} |",
        line=_LINE,
        tried=tried_rows(tried),
    )


def _table(resources: Iterable[Resource]) -> str:
    rows = (f"| {each.name} | {each.quota:,g} | {_rate(each.enough_for)} | {each.fix} |" for each in resources)
    return "\n".join(rows)


def _rate(messages: float) -> str:
    return f"{messages:,.0f}" if messages >= 100 else f"{messages:.1f}"


def _chapter(rate: int, need: Needs) -> str:
    """What breaks at a rate, the tightest first."""
    over = [each for each in (*model.settings(need), *model.quotas(need)) if each.share(rate) > 1]
    tight = model.first_to_break(model.quotas(need))[0]
    busy = (need.callback_seconds + need.processor_seconds) * rate
    busy_text = f"{busy:,.{0 if busy >= 10 else 1}f} executions are busy"
    text = f"On average {busy_text}, and the table takes {need.write_units * rate:,.0f} write units a second."
    lines = [f"### {rate:,} messages a second", "", text]
    if over:
        lines += [
            "Not enough, the tightest first:",
            "",
            *(f"- {each.name}: enough for {_rate(each.enough_for)}." for each in model.first_to_break(over)),
        ]
    else:
        lines.append(f"Nothing is over its default. The tightest quota of AWS is used to {tight.share(rate):.1%}.")
    return "\n".join(lines)


def without_trials(text: str) -> str:
    """The document without the rows of the trials, which take half a minute."""
    head, line, tail = text.partition(_LINE)
    _rows, blank, rest = tail.partition("\n\n")
    return f"{head}{line}\n{blank}{rest}"


def tried_rows(outcomes: Iterable[Outcome]) -> str:
    """The rows of the trials."""
    return "\n".join(
        f"| {each.arrivals.messages:,} | {each.arrivals.apps} | {each.arrivals.people:,} | "
        f"{'at once' if each.arrivals.at_once else 'queue'} | {each.lost} | {each.repeated} | {each.misplaced} | "
        f"{each.waiting:,} | {each.ended_after:,.0f} | {each.hottest['limit']} | {max(each.hottest.values())} |"
        for each in outcomes
    )


_TEXT = """\
# Load and scale

How many messages a second a stage takes, what breaks first, and what to change then. `python -m tools.scale
--write` makes this document from counted requests ([the cost of a message](cost.md)), from the defaults of the
template, and from [tools/quotas.toml](../tools/quotas.toml): published quotas, compared on {date}. A test fails if
it is outdated. `make load` measures a stack on your machine; that shows lost and repeated messages, and not what
AWS can do.

## What a message needs

The standard message: a command that changes the bot's state, with one reply, delivered at once.

| | |
|---|--:|
| seconds of the callback function | {callback:.3f} |
| seconds of the processor: the bot, and a call of the platform in 200 ms | {processor:.3f} |
| the same of the deliverer, if the reply goes through the queue | {deliverer:.3f} |
| write units of DynamoDB (through the queue {queued_writes:.1f}) | {writes:.1f} |
| read units | {reads:.0f} |

A bot that waits for a model for five seconds needs five seconds more of the processor, and so twenty times as many
executions.

## The platform comes first

The platforms limit what a bot may send. Parley keeps to these limits: what is above them waits in the queue, in
order, and arrives late. More executions change nothing.

| | replies a minute | a second | of them for 1,000 a second |
|---|--:|--:|--:|
{platforms}

Feishu counts each API of each app, and WeChat each account. So a service for many customers has an app for each of
them, or one of a service provider, whose limits are those of each company. The limits of single chats come besides,
see the guides. Discord does not count the
answers to commands and presses. The HTTP channel has no limit of its own.

## What breaks first

Settings of the stack and of a new account:

| | default | enough for, messages a second | then |
|---|--:|--:|---|
{settings}

Quotas of AWS for an account or a resource, with the parameters set as above:

| | quota | enough for, messages a second | then |
|---|--:|--:|---|
{quotas}

{chapters}

## Hot rows and busy conversations

- **One conversation** is handled one message after the other, because the order is a promise: {conversation:.1f}
  messages a second. Its group in the queue would take {group}. A room in which more is written to the bot falls
  behind; nothing is lost.
- **No row is shared by all messages.** The journal has a row for each message, reply and conversation. DynamoDB
  spreads them over its partitions by the hash of their keys, and takes 1,000 writes a second for one row.
- **The row of a rate limit** is shared by the calls of an app. A busy process reserves several calls with one
  write, and a limit above 200 calls a second is divided over several rows. So its writes stay below those of the
  calls, which the platform limits: see the table below.
- **`turn.shared`** is one row of the bot's own. A bot that changes it with every message has a hot row, and its
  transactions conflict far below 1,000 a second. Keep such counts by person or room, and add them up when they are
  read.
- **The index of waiting replies** has 8 partitions. Replies at once have no entry in it.

## Cold starts

Lambda gives a function {cold:,.0f} executions more each second, 1,000 every 10 seconds. Each new one reads the
configuration of its app from SSM: up to {cold:,.0f} reads a second, and an account has {ssm} by default. Parley
repeats a read that SSM refuses, for a part of the platform's time; then the callback fails, and the platform
delivers it again (Discord does not). **Before a launch set SSM to higher throughput** ({ssm_high:,} a second, which
AWS bills), or let the load grow over minutes.

Each execution also reads each of its apps again every five minutes. With {apps} apps and 1,000 messages a second,
{busy:.0f} executions make {configurations:.0f} reads a second.

## Tried in virtual time

The real functions handle 1,000 messages a second in a simulation, which counts the writes of each row and what
people get. Its functions take no time, so it says nothing about executions. `make scale` runs it with other seeds.

{columns}
{line}
{tried}

With one app, Feishu's limit of 1,000 replies a minute decides: its messages wait, and none is lost. The seconds are
those of a simulation with one execution at a time.
"""
