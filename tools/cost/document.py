"""The text of docs/cost.md."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tools.cost import bill, fixed, nested, sockets, waiting
from tools.cost.bill import Line
from tools.cost.cases import CASES, LIMITS, MINUTES, STANDARD, WAYS, Ledger, Series
from tools.cost.figures import ASSUMPTIONS, LOG_BYTES, MEASURED, PER_GB, PER_MILLION, PER_MONTH, PRICES, memory
from tools.cost.metering import Unit, Usage

REASONS: dict[tuple[str, str], str] = {
    ("write in", "TransactWriteItems"): "The decision on the message. A message that comes again finds it, and the bot "
    "does not run twice. In one transaction with the next two rows, so that all are written or none",
    ("write conv", "TransactWriteItems"): "The bot's state. It is not written if the bot leaves it unchanged",
    ("write out", "TransactWriteItems"): "The reply, stored before anything is sent: a worker that dies leaves it to "
    "the next one",
    (
        "write due",
        "TransactWriteItems",
    ): "The reply's entry in the index. The sweeper finds a reply that no worker takes",
    ("write queued", "UpdateItem"): "The last reply of the conversation that is in the queue: no later one may "
    "overtake it",
    ("write limit", "UpdateItem"): "The platform's rate limits, which all instances share. "
    "With quiet traffic, a process reserves several calls with one write",
    ("write out", "UpdateItem"): "The result of the call, and what the platform calls the message. Through the queue "
    "also the lease, before the call",
    ("write due", "UpdateItem"): "The entry of the index is removed with the result",
    ("read in", "BatchGetItem"): "Whether the message is decided already",
    ("read conv", "BatchGetItem"): "The bot's state",
    ("read queued", "BatchGetItem"): "Whether an earlier reply is in the queue",
}
"""Why the standard message needs a unit, by kind and row, and by request."""


def document(ledger: Ledger) -> str:
    """The text of docs/cost.md."""
    standard = {at_once: ledger[STANDARD, at_once] for at_once in WAYS}
    ways = {at_once: series.average for at_once, series in standard.items()}
    sums = {at_once: bill.total(usage, at_once=at_once) for at_once, usage in ways.items()}
    return _TEXT.format(
        at_once=sums[True],
        queue=sums[False],
        cases=_table(_case_rows(ledger)),
        **_sockets(),
        functions=_table(_function_rows(standard)),
        costs=_table(_cost_rows(ways)),
        units=_table(_unit_rows(ways)),
        log_kb=_log_kilobytes(at_once=True),
        logs=_log_kilobytes(at_once=True) * PER_MILLION["log KB"],
        **_minutes(ledger[MINUTES, True].average),
        memory=memory("processor"),
        share=memory("processor") / ASSUMPTIONS["core_mb"],
        factor=ASSUMPTIONS["core_mb"] / memory("processor"),
        machine=MEASURED["machine"],
        measured=MEASURED["date"],
        **PRICES,
        **ASSUMPTIONS,
        **_fixed(),
        **_waits(),
        **_nested(),
    )


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(rows: Iterable[Iterable[object]]) -> str:
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _amount(number: float) -> str:
    """`number` with three digits; empty for zero."""
    return f"{number:.3g}" if number else ""


def _case_rows(ledger: Ledger) -> Iterable[Iterable[object]]:
    for case in CASES:
        if case is MINUTES:  # the text names it as the last one
            ways = (sockets.message(at_once=at_once).dollars(at_once=at_once) for at_once in WAYS)
            yield "the first row by WebSocket, and the client acknowledges the reply", *(f"{each:.2f}" for each in ways)
        yield (
            case.title,
            *(f"{bill.total(ledger[case, at_once].average, at_once=at_once):.2f}" for at_once in WAYS),
        )


def _function_rows(standard: Mapping[bool, Series]) -> Iterable[Iterable[object]]:
    for stage, at_once in LIMITS:
        usage = standard[at_once].average
        yield (
            stage,
            "both" if stage == "callback" else "at once" if at_once else "queue",
            _operations(usage.requests[stage]),
            f"{standard[at_once].most(stage):g}",
            LIMITS[stage, at_once],
            _amount(usage.platform_calls(stage)),
            f"{bill.duration(usage, stage, at_once=at_once):.0f}",
        )


def _operations(requests: Counter[str]) -> str:
    return ", ".join(f"{_amount(number)} {name}" for name, number in sorted(requests.items()) if "/" not in name)


def _cost_rows(ways: Mapping[bool, Usage]) -> Iterable[Iterable[object]]:
    both = zip(*(bill.lines(usage, at_once=at_once) for at_once, usage in ways.items()), strict=True)
    for direct, queued in both:
        amounts = (_amount(line.amount) for line in (direct, queued))
        yield direct.name, f"{direct.price:g}", *amounts, f"{direct.dollars:.2f}", f"{queued.dollars:.2f}"
    yield "**total**", "", "", "", *(f"**{bill.total(usage, at_once=at_once):.2f}**" for at_once, usage in ways.items())


def _unit_rows(ways: Mapping[bool, Usage]) -> Iterable[Iterable[object]]:
    units = {unit for usage in ways.values() for unit in usage.units}
    order = list(REASONS)
    for unit in sorted(units, key=lambda unit: order.index(_purpose(unit))):
        row = "index `due`" if unit.row == "due" else f"`{unit.row}#`"
        amounts = (_amount(usage.units.get(unit, 0)) for usage in ways.values())
        yield row, unit.kind, unit.request, *amounts, REASONS[_purpose(unit)]


def _purpose(unit: Unit) -> tuple[str, str]:
    return f"{unit.kind} {unit.row}", unit.request


def _waits() -> dict[str, Any]:
    """What requests cost that wait, and those that do not."""
    found = waiting.waits()
    rows = (
        (
            name,
            wait.looks,
            f"{_dollars(wait.lines, 'DynamoDB'):.2f}",
            f"{_dollars(wait.lines, 'Lambda'):.2f}",
            f"{wait.dollars:.2f}",
        )
        for name, wait in found.items()
    )
    longest = next(iter(found.values()))
    # A warm invocation with one look: one read of the row of the conversation.
    asking = bill.gb_seconds(
        Usage(Counter({"callback": 1}), {"callback": Counter({"GetItem": 1})}), "callback", at_once=True
    )
    prices = ("API Gateway REST request", "Lambda request", "DynamoDB read unit")
    dollars = sum(PER_MILLION[name] for name in prices) + asking * PER_MILLION["Lambda GB-second"]
    return {"waits": _table(rows), "longest": longest.seconds, "pause": longest.pause, "asking": dollars}


def _dollars(lines: Iterable[Line], service: str) -> float:
    return sum(line.dollars for line in lines if line.name.startswith(service))


def _minutes(usage: Usage) -> dict[str, float]:
    """What the heartbeat and the looks for a stop cost in two minutes."""
    beats = usage.requests["processor"]["ChangeMessageVisibility"]
    looks = usage.units[Unit("write", "run", "UpdateItem")]
    dollars = beats * PER_MILLION["SQS FIFO request"] + looks * PER_MILLION["DynamoDB write unit"]
    return {"beats": beats, "looks": looks, "beside": dollars, "worked": usage.worked}


def _log_kilobytes(*, at_once: bool) -> float:
    names = ("callback", "processor, at once") if at_once else ("callback", "processor, queue", "deliverer")
    return sum(LOG_BYTES[name] for name in names) / 1000


class _Monthly(NamedTuple):
    name: str
    number: int

    @property
    def dollars(self) -> float:
        return self.number * PER_MONTH[self.name]


def _fixed() -> dict[str, Any]:
    """What a stage costs each month without any message, and its metrics with some."""
    idle, watched = fixed.idle_month(), _Monthly("metric of an alarm", fixed.alarm_metrics())
    resting = _Monthly("custom metric", len(fixed.idle_metrics()))
    busy = (_Monthly("custom metric", len(fixed.custom_metrics())), watched)
    methods = fixed.api_methods()
    return {
        "idle": _table([*map(_idle_row, idle), *map(_monthly_row, (resting, watched))]),
        "waiting": fixed.always_waiting().dollars,
        "idle_total": sum(line.dollars for line in idle) + resting.dollars + watched.dollars,
        "idle_without_alarms": sum(line.dollars for line in idle) + resting.dollars,
        "mappings": fixed.event_source_mappings(),
        "fixed": _table(map(_monthly_row, busy)),
        "fixed_total": sum(row.dollars for row in busy),
        "queue_metrics": len(fixed.deliverer_metrics()),
        "methods": methods,
        "detailed": methods * fixed.API_METRICS,
        "insighted": fixed.insighted(),
        "insights": fixed.insighted() * ASSUMPTIONS["insights_metrics"] * PER_MONTH["custom metric"],
        "insights_logs": ASSUMPTIONS["insights_kb"] * PER_MILLION["log KB"],
        "insights_alarms": fixed.alarm_metrics("ObservesInsights") * PER_MONTH["metric of an alarm"],
        "login_alarm": fixed.alarm_metrics("ObservesLogins") * PER_MONTH["metric of an alarm"],
        "pager": PER_MONTH["composite alarm"],
        "dashboard": PER_MONTH["dashboard"],
        "saved": methods * fixed.API_METRICS * PER_MONTH["custom metric"],
    }


def _sockets() -> dict[str, Any]:
    """What a message by WebSocket is billed for, and connections that stay open."""
    message, connections = sockets.message(at_once=True), 1000
    rows = (
        (line.name, f"{line.price:g}", _amount(line.amount), f"{line.dollars:.2f}")
        for line in message.lines(at_once=True)
    )
    month = sockets.month(connections)
    return {
        "socket": _table(rows),
        "socket_total": message.dollars(at_once=True),
        "frames": message.frames,
        "invocations": message.usage.invocations["callback"],
        "connections": connections,
        "minutes": month["minutes"],
        "opens": month["opens"],
        "minute_price": PER_MILLION[sockets.MINUTE],
        "frame_price": PER_MILLION[sockets.FRAME],
        "open_minutes": sockets.OPEN_EVERY // 60,
    }


def _nested() -> dict[str, Any]:
    """What the parts cost that a stage has only if its parameters say so."""
    kinds = {name: nested.connector(name) for name in nested.CONNECTORS}
    ways = {"gateway": nested.fixed_address(), "instance": nested.nat_instance()}
    tables = {name: _table(map(_month_row, items)) for name, items in (kinds | ways).items()}
    sums = {f"{name}_total": sum(item.dollars for item in items) for name, items in (kinds | ways).items()}
    return {
        **tables,
        **sums,
        "zones": nested.ZONES,
        "endpoints": nested.endpoints(1),
        "even": nested.break_even(1),
        "nat_gb": PER_GB["NAT gateway"],
    }


def _month_row(item: nested.Monthly) -> tuple[str, ...]:
    return item.name, f"{item.number:g}", f"{item.price:.2f}", f"{item.dollars:.2f}"


def _idle_row(line: Line) -> tuple[str, ...]:
    return line.name, f"{line.amount * 1e6:,.0f}", f"{line.price:g} per million", f"{line.dollars:.2f}"


def _monthly_row(row: _Monthly) -> tuple[str, ...]:
    return row.name, str(row.number), f"{PER_MONTH[row.name]:.2f}", f"{row.dollars:.2f}"


_TEXT = """\
# Cost of a message

One million text messages, each with one reply, cost about US$ {at_once:.2f} on AWS. `python -m tools.cost --write`
makes this document from the code and from [tools/prices.toml](../tools/prices.toml). A test fails if it is outdated.

There are two ways for a reply. The processor delivers it **at once**. If something has to wait, the reply goes
**through the queue**, and the deliverer delivers it. With `PARLEY_DELIVER_AT_ONCE=false` all replies go through the
queue.

| one million messages | at once, US$ | through the queue, US$ |
|---|--:|--:|
{cases}

Each row is the average of 60 messages, one a second, through the real functions; the last one of 5. Each function is
one warm process. Configurations and access tokens are cached. The platform is Feishu where no other one is named. A
reply of two calls and a reply that fails go through the queue in both columns: the processor does not begin a reply
of several calls, and it leaves a failed call to the deliverer.

A call of a language model adds two AWS requests at most: its answer is recorded, and so is the result of each command
that it calls. The price of the model is not included; the metric `ModelCost` has it.

A process that replies often reserves calls of a rate limit in portions. The limit of a chat is a row of its own. So a
message in another conversation writes it each time, as does a conversation with less than 16 replies in a minute.

In the last row, the waiting handler costs most. In its {worked:.0f} seconds the worker also sends {beats:.0f}
heartbeats, and looks {looks:.0f} times whether a person wants it to stop: US$ {beside:.2f} per million messages. A
handler that ends within three seconds sends one heartbeat.

With `Bot(merge=...)`, a plain text makes eleven more requests to DynamoDB and SQS, and two more invocations. That is
about US$ 8 per million. A text that joins an earlier one costs about as much as a message of its own. Every other
message costs one more read.

DynamoDB bills a row by the KB. The rows of a short message and of a short reply stay below 1 KB. Longer texts cost
more, and so does Discord, where a row also holds the token of the interaction. A message of the HTTP channel writes two
rows more before it is queued: the rate limit of the person, and the fingerprint for its idempotency key. Its reply is
also put into the mailbox.

## The standard message

The first row of the table, in detail.

| function | way | AWS requests | most | limit | calls to the platform | billed ms |
|---|---|---|--:|--:|--:|--:|
{functions}

*Most* is the largest number of AWS requests for one of the 60 messages; a test fails above the *limit*. The callback
makes its one request before it acknowledges the message.

| billed item | US$ per million items | a message: at once | queue | US$ per million messages: at once | queue |
|---|--:|--:|--:|--:|--:|
{costs}

Each unit of DynamoDB, and why it is needed:

| row | unit | request | at once | queue | why |
|---|---|---|--:|--:|---|
{units}

A write of a transaction costs two units for each KB, every other write one. A write also costs its units if its
condition fails. The index holds keys only: an update that leaves the keys as they are costs it nothing.

The prices and assumptions:

- List prices of {region} on {date}, without free tiers, taxes and data transfer. Check the current prices before
  you plan with them: <https://aws.amazon.com/pricing/>.
- A request to AWS takes {aws_milliseconds} ms, a call of the platform's API {platform_milliseconds} ms. The function
  that makes the call waits for it. A slower platform or a slower bot costs more.
- `python -m tools.bench.warm` measures the CPU time of each function ({measured}, {machine}). A function with
  {memory} MB gets {share:.0%} of a core, so its CPU time counts {factor:.1f} times. That is an upper bound: short
  bursts between two requests are not slowed down.
- Cold starts are not included. See [the benchmarks](benchmarks.md).
- Logs and traces are not included. Parley writes {log_kb:.1f} KB of logs and metrics for a message that is delivered
  at once: US$ {logs:.2f} per million messages.
- Storage is not included: about 4 KB per message for 30 days.

## Requests that wait

A client of the HTTP channel can wait for replies with `?wait=`, {longest:g} seconds at most. A request that waits
that long and gets none costs:

| one million requests that read | looks at the journal | DynamoDB, US$ | Lambda, US$ | total, US$ |
|---|--:|--:|--:|--:|
{waits}

- Each one occupies one concurrent execution of the function as long as it waits: 100 clients that wait at the same time
  occupy 100. An account has 1,000 executions, a new one 10. `CallbackReservedConcurrency` keeps those of the other
  platforms. A webhook occupies none.
- A reply is read {pause:g} seconds after its delivery at most.
- A request that asks every {longest:g} seconds without waiting costs US$ {asking:.2f} per million.

## Messages by WebSocket

A message by WebSocket has {frames} frames: the message, `accepted`, the reply, and `ack`. The function of connections
runs {invocations:g} times. One million, delivered at once to one connection that watches the conversation:

| billed item | US$ per million items | a message | US$ per million messages |
|---|--:|--:|--:|
{socket}
| **total** | | | **{socket_total:.2f}** |

- Each further connection that watches gets a frame more. A frame above 32 KB counts as several.
- The prices of WebSockets, US$ {frame_price:.2f} per million frames and {minute_price:.2f} per million connection
  minutes, are those of [the decision on sockets](decisions/sockets.md). They were not read from the price list of the
  date above.
- {connections:,} connections that are open all month cost US$ {minutes:.2f} for their minutes. Clients that send
  `open` every {open_minutes} minutes cost US$ {opens:.2f} more.
- The CPU time of the function of connections is assumed to be that of a callback.
- Clients by TCP pay no frames: see [connectors](#connectors).

## An idle month

A stage without messages costs about US$ {idle_total:.2f} per month, or US$ {idle_without_alarms:.2f} without alarms.

| billed item | number | US$ each | US$ per month |
|---|--:|--:|--:|
{idle}
| **total** | | | **{idle_total:.2f}** |

- The sweeper runs every minute. It queries the nine partitions of the index: eight for replies, one for reminders. A
  query that finds nothing costs half a unit.
- In a minute with reminders, the sweeper waits until the last of them. If reminders come in every minute, this costs up
  to US$ {waiting:.2f} per month more.
- Lambda polls {mappings} queues. An event source mapping with a maximum concurrency makes {pollers} empty receives
  every {poll_seconds} seconds.
- The alarms exist if `Observability` is `true`. An alarm that compares metrics is billed for each of them.
- Access tokens are not fetched before a message needs one.

## Metrics and alarms

The metrics and alarms of a stage with messages cost about US$ {fixed_total:.2f} per month. The number of messages does
not change that. Two stages in one account cost twice as much.

| billed item | number | US$ per month each | US$ per month |
|---|--:|--:|--:|
{fixed}
| **total** | | | **{fixed_total:.2f}** |

- CloudWatch counts each combination of a name and values of dimensions as one metric. The tool sends messages through
  every platform and counts the combinations. Failures add metrics, such as `CallbacksRejected` by reason. Replies
  through the queue add up to {queue_metrics} metrics of the deliverer, and a language model up to 14.
- A metric is billed for the hours in which it has data. The number is for a stage that gets messages on every platform
  in every hour.
- `PagerTopicArn` adds a composite alarm, US$ {pager:.2f} per month. `Dashboard=true` adds a dashboard, US$
  {dashboard:.2f}; three of an account are free. `MonthlyBudget` costs nothing. Without these parameters, none of
  them exists.
- With `InsightsLayer`, Lambda Insights costs US$ {insights:.2f} per month for the metrics of {insighted} functions and
  US$ {insights_logs:.2f} per million invocations for its logs. Its alarms cost US$ {insights_alarms:.2f} per month. Its
  extension also takes memory and makes cold starts longer, which is not measured here.
- The alarm on lost logins, US$ {login_alarm:.2f} per month, exists if `Logins` is `true`.
- API Gateway's detailed metrics are off: {methods} methods with {detailed} metrics would cost US$ {saved:.2f} per
  month. The metric `CallbackTime` measures the same for each platform.

## Connectors

The programs of [Connectors](connectors.md) run only if their parameters are set. They cost the same with and without
messages. Their alarms exist if `Observability` is `true`.

The Discord connector costs about US$ {discord_total:.2f} per month:

| billed item | number | US$ per month each | US$ per month |
|---|--:|--:|--:|
{discord}
| **total** | | | **{discord_total:.2f}** |

The TCP connector costs about US$ {tcp_total:.2f} per month:

| billed item | number | US$ per month each | US$ per month |
|---|--:|--:|--:|
{tcp}
| **total** | | | **{tcp_total:.2f}** |

- The prices of Fargate are those of arm64. On x86_64 they are a quarter higher.
- A load balancer has a public address in each of the {zones} zones. One capacity unit is enough for 100,000 open
  connections and 1 GB in an hour.
- Metrics that no alarm watches, logs and data transfer are not included. Each event of Discord for the bot is a message
  of the queue and a run of the processor.

## A fixed address

With `FixedAddress=nat-gateway`, [the network](fixed-address.md) costs about US$ {gateway_total:.2f} per month, and
US$ {nat_gb} for each GB that goes through it:

| billed item | number | US$ per month each | US$ per month |
|---|--:|--:|--:|
{gateway}
| **total** | | | **{gateway_total:.2f}** |

With `FixedAddress=own-network` and a NAT instance of the smallest kind, it costs about US$ {instance_total:.2f}, and
nothing for each GB. You keep such an instance running and updated yourself:

| billed item | number | US$ per month each | US$ per month |
|---|--:|--:|--:|
{instance}
| **total** | | | **{instance_total:.2f}** |

- Lambda bills nothing more for a function in a network. The endpoints of DynamoDB and S3 cost nothing.
- An interface endpoint for SQS, SSM or KMS costs US$ {endpoints:.2f} per month in {zones} zones. It pays off above
  {even:.0f} GB to that service in a month.
- The disk of an instance and data transfer out are not included.
"""
