"""The cost of a message: the limits of requests, DynamoDB's units, and docs/cost.md."""

import json
import tomllib
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest

from parley.platforms import NAMES
from parley.platforms.http.inbound import MAX_WAIT
from tests.template import of_type
from tools.bench import warm
from tools.cost import __main__ as tool
from tools.cost import bill, cases, fixed, metering, nested, sockets, waiting
from tools.cost.__main__ import FILE
from tools.cost.cases import ASKED, CASES, CHANNEL, DIALOGUE, LIMITS, PAID, SERIES, STANDARD, Ledger, Series
from tools.cost.document import REASONS, document
from tools.cost.figures import ASSUMPTIONS, CPU_MILLISECONDS, PER_MILLION
from tools.cost.figures import FILE as PRICES
from tools.cost.metering import STAGES, MeteredDynamoDB, Unit, Usage
from tools.faults.dynamodb import ServiceError
from tools.faults.model import CALL


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """All series."""
    return cases.measured(CASES)


@pytest.fixture(scope="module")
def at_once(ledger: Ledger) -> Series:
    """The standard message, delivered at once."""
    return ledger[STANDARD, True]


@pytest.fixture(scope="module")
def queued(ledger: Ledger) -> Series:
    """The standard message, whose reply goes through the queue."""
    return ledger[STANDARD, False]


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "way"), LIMITS)
def test_no_function_makes_more_requests_than_its_limit(ledger: Ledger, stage: str, way: bool) -> None:
    for case in (STANDARD, DIALOGUE):
        assert 0 < ledger[case, way].most(stage) <= LIMITS[stage, way]


def test_the_only_request_before_the_acknowledgement_stores_the_message(at_once: Series, queued: Series) -> None:
    for series in (at_once, queued):
        assert [usage.requests["callback"] for usage in series.each] == [{"SendMessage": 1}] * SERIES


def test_a_message_of_a_client_is_checked_with_two_writes_before_it_is_stored(ledger: Ledger) -> None:
    checks = {"UpdateItem": 1, "PutItem": 1}
    assert [usage.requests["callback"] for usage in ledger[CHANNEL, True].each] == [
        checks | {"SendMessage": 1}
    ] * SERIES


def test_only_the_functions_that_run_are_billed(at_once: Series, queued: Series) -> None:
    assert at_once.average.invocations == {"callback": 1, "processor": 1}
    assert queued.average.invocations == {"callback": 1, "processor": 1, "deliverer": 1}
    assert bill.duration(at_once.average, "deliverer", at_once=True) == 0


def test_the_function_that_calls_the_platform_waits_for_it(at_once: Series, queued: Series) -> None:
    wait = ASSUMPTIONS["platform_milliseconds"]
    assert bill.duration(at_once.average, "processor", at_once=True) > wait
    assert bill.duration(queued.average, "processor", at_once=False) < wait
    assert bill.duration(queued.average, "deliverer", at_once=False) > wait


def test_each_message_of_a_queue_is_sent_received_and_deleted(at_once: Series, queued: Series) -> None:
    assert at_once.average.sqs_requests() == 3
    assert queued.average.sqs_requests() == 6


def test_a_reply_that_has_to_wait_is_received_again(ledger: Ledger) -> None:
    (failing,) = (case for case in CASES if case.fails)
    usage = ledger[failing, True].average

    assert usage.platform_calls("processor") == usage.platform_calls("deliverer") == 1
    assert usage.polls["ReceiveMessage"] == usage.invocations["processor"] + usage.invocations["deliverer"]
    assert usage.polls["DeleteMessage"] == 2


def test_a_call_of_a_language_model_adds_at_most_two_requests(ledger: Ledger) -> None:
    paid, asked = (ledger[case, True] for case in (PAID, ASKED))
    calls = 2

    assert {usage.requests["processor"][CALL] for usage in asked.each} == {calls}
    assert asked.most("processor") - paid.most("processor") <= 2 * calls
    assert {usage.count("callback") for usage in asked.each} == {1}


def test_a_request_that_waits_looks_twice_a_second_at_most_and_ends_in_time() -> None:
    message, conversation = waiting.waits().values()
    for wait in (message, conversation):
        assert (wait.seconds, wait.pause) == (MAX_WAIT, 0.5)
        assert MAX_WAIT / 0.5 <= wait.looks <= 60
    assert 0 < conversation.dollars < message.dollars


def test_a_message_by_websocket_is_two_frames_in_and_two_out() -> None:
    message = sockets.message(at_once=True)
    assert message.frames == 4
    assert message.usage.invocations == {"callback": 2, "processor": 1}
    assert message.usage.requests["callback"]["PostToConnection"] == 1
    assert message.usage.requests["processor"]["PostToConnection"] == 1
    first, *others = message.lines(at_once=True)
    assert (first.name, first.dollars) == ("API Gateway WebSocket message", 4)
    assert [line.name for line in others] == [line.name for line in bill.lines(message.usage, at_once=True)][1:]
    rows = {unit.row for unit in message.usage.units}
    assert {"conn", "watch", "seen", "posted", "limit", "box"} < rows


def test_connections_that_stay_open_are_billed_by_the_minute_and_for_their_frames() -> None:
    month = sockets.month(1000)
    assert month["minutes"] == pytest.approx(1000 * 730 * 60 / 1e6 * 0.25)
    assert month["opens"] == pytest.approx(
        month["minutes"] / 0.25 / 5 * sum(each.dollars for each in sockets.open_again())
    )
    assert month["opens"] == 2 * sockets.month(500)["opens"]


# --- units ------------------------------------------------------------------------------------------------------------


class Table:
    """A metered table with one row."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.dynamodb = MeteredDynamoDB(self)
        self.dynamodb.call("PutItem", {"Item": _row()})


@pytest.fixture
def table() -> Table:
    return Table()


def _row(size: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "pk": {"S": "out#1"},
        "body": {"S": "x" * size},
        "due_shard": {"S": "due#1"},
        "due_at": {"N": "5"},
        **more,
    }


def _update(change: str, condition: str = "", **values: dict[str, Any]) -> dict[str, Any]:
    expressions = {"ConditionExpression": condition} if condition else {}
    return {
        "Key": {"pk": {"S": "out#1"}},
        "UpdateExpression": change,
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
        **expressions,
    }


def units(table: Table, operation: str, request: dict[str, Any]) -> dict[Unit, float]:
    """The units of one request, which may be refused."""
    table.usage = Usage()
    with suppress(ServiceError):
        table.dynamodb.call(operation, request)
    return table.usage.units


def test_an_update_that_leaves_the_keys_of_the_index_costs_the_index_nothing(table: Table) -> None:
    (index,) = of_type("AWS::DynamoDB::Table")["StateTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == metering.INDEX
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}

    assert units(table, "UpdateItem", _update("SET body = :to", to={"S": "y"})) == {
        Unit("write", "out", "UpdateItem"): 1
    }


def test_an_entry_of_the_index_that_moves_costs_two_units(table: Table) -> None:
    moved = units(table, "UpdateItem", _update("SET due_at = :to", to={"N": "6"}))
    assert moved[Unit("write", "due", "UpdateItem")] == 2


def test_an_entry_of_the_index_that_is_removed_costs_one_unit(table: Table) -> None:
    removed = units(table, "UpdateItem", _update("SET body = :to REMOVE due_shard, due_at", to={"S": "y"}))
    assert removed[Unit("write", "due", "UpdateItem")] == 1


def test_a_write_costs_the_larger_item_of_before_and_after(table: Table) -> None:
    assert units(table, "PutItem", {"Item": _row(3000)})[Unit("write", "out", "PutItem")] == 3
    assert units(table, "PutItem", {"Item": _row(10)})[Unit("write", "out", "PutItem")] == 3


def test_a_write_whose_condition_fails_is_billed(table: Table) -> None:
    refused = _update("SET body = :to", "body = :other", to={"S": "y"}, other={"S": "z"})
    assert units(table, "UpdateItem", refused) == {Unit("write", "out", "UpdateItem"): 1}


def test_a_write_in_a_transaction_costs_twice_as_much_and_a_check_as_well(table: Table) -> None:
    check = {"Key": {"pk": {"S": "in#1"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    actions = [{"Put": {"Item": _row(2000)}}, {"ConditionCheck": check}]

    assert units(table, "TransactWriteItems", {"TransactItems": actions}) == {
        Unit("write", "out", "TransactWriteItems"): 4,
        Unit("write", "in", "TransactWriteItems"): 2,
    }


def test_a_read_costs_a_unit_for_each_4_kb_and_one_for_a_row_that_does_not_exist(table: Table) -> None:
    table.dynamodb.call("PutItem", {"Item": _row(5000)})
    keys = [{"pk": {"S": key}} for key in ("out#1", "conv#1")]

    assert units(table, "BatchGetItem", {"RequestItems": {"parley": {"Keys": keys}}}) == {
        Unit("read", "out", "BatchGetItem"): 2,
        Unit("read", "conv", "BatchGetItem"): 1,
    }


def test_a_number_takes_a_byte_for_two_digits() -> None:
    item = {"pk": {"S": "é"}, "at": {"N": "1764432000.25"}, "ids": {"SS": ["ab", "c"]}}
    assert metering.size(item) == 2 + 2 + (2 + 1 + 6) + (3 + 3 + 3 + 2)


def test_the_document_says_why_each_unit_is_needed(at_once: Series, queued: Series) -> None:
    used = {(f"{unit.kind} {unit.row}", unit.request) for series in (at_once, queued) for unit in series.average.units}
    assert used == set(REASONS)


# --- the bill ---------------------------------------------------------------------------------------------------------


def test_each_line_is_amount_times_price(at_once: Series) -> None:
    billed = bill.lines(at_once.average, at_once=True)

    assert [line.price for line in billed] == [PER_MILLION[line.name] for line in billed]
    assert bill.total(at_once.average, at_once=True) == pytest.approx(sum(line.amount * line.price for line in billed))


def test_a_reply_at_once_costs_less_than_one_through_the_queue(ledger: Ledger) -> None:
    for case in CASES[:6]:
        direct, through_queue = (bill.total(ledger[case, way].average, at_once=way) for way in (True, False))
        assert direct < 0.85 * through_queue, case.title


def test_an_unchanged_state_is_not_written(ledger: Ledger) -> None:
    (unchanged,) = (case for case in CASES if case.title.startswith("a text that leaves the state unchanged"))
    assert not [unit for unit in ledger[unchanged, True].average.units if unit[:2] == ("write", "conv")]


def test_cpu_time_takes_longer_on_a_part_of_a_core() -> None:
    usage = Usage(invocations=Counter(sweeper=2))
    share = 256 / ASSUMPTIONS["core_mb"]  # the sweeper's memory

    assert bill.duration(usage, "sweeper", at_once=True) == pytest.approx(2 * CPU_MILLISECONDS["sweeper"] / share)


def test_the_document_is_up_to_date(ledger: Ledger) -> None:
    assert FILE.read_text() == document(ledger), "python -m tools.cost --write, and say why in the commit"


def test_the_figures_of_the_command_line_are_up_to_date(ledger: Ledger) -> None:
    assert json.loads(tool.FIGURES.read_text()) == tool.figures(ledger), "python -m tools.cost --write"


@pytest.mark.parametrize("stage", STAGES)
def test_one_more_request_changes_the_document(ledger: Ledger, stage: str) -> None:
    changed = deepcopy(dict(ledger))
    for way in (True, False):
        requests = changed[STANDARD, way].average.requests
        if stage in requests:
            requests[stage]["UpdateItem"] += 1

    assert document(changed) != FILE.read_text()


# --- an idle month, metrics and alarms --------------------------------------------------------------------------------


def test_an_idle_sweep_makes_nine_queries_of_half_a_unit_and_looks_at_the_queue() -> None:
    sweep = fixed.idle_sweep()
    assert sweep.requests["sweeper"] == {"Query": 9, "GetQueueAttributes": 1}
    assert sweep.units == {Unit("read", "due", "Query"): 4.5}


def test_an_idle_month_has_a_sweep_a_minute_and_empty_receives_of_two_queues() -> None:
    amounts = {line.name: line.amount * 1e6 for line in fixed.idle_month()}
    assert amounts["Lambda request"] == amounts["EventBridge Scheduler invocation"] == pytest.approx(730 * 60)
    assert amounts["SQS FIFO request"] == pytest.approx(2 * 5 * 730 * 3600 / 20 + 730 * 60)


def test_a_metric_of_a_function_counts_once_for_its_total_and_once_for_each_combination() -> None:
    found = fixed.metrics(cases.FEISHU)

    assert {("processor", "RepliesSent"), ("processor", "RepliesSent", "feishu")} <= found
    assert not [entry for entry in found if entry[0] == "deliverer"]
    assert {("deliverer", "RepliesSent", "feishu")} <= fixed.metrics(cases.FEISHU, at_once=False)
    assert found < fixed.custom_metrics()


def test_the_metrics_of_a_callback_are_not_billed_twice_for_a_platform_that_their_service_names() -> None:
    callback = {entry[1:] for entry in fixed.metrics(cases.FEISHU) if entry[0] == "feishu"}
    assert callback == {("AcknowledgeTime",), ("CallbackTime",)}


def test_an_alarm_on_an_expression_is_billed_for_each_metric() -> None:
    alarms = {name: body for name, body in of_type("AWS::CloudWatch::Alarm").items() if body["Condition"] == "Observed"}
    expressions = [name for name in alarms if "Metrics" in alarms[name]["Properties"]]

    # Rejected callbacks, the backlog of two queues, and sums and rates over the stage.
    others = {"ApiSuccess", "RefusalsRising", "TokenRefresh", "RepliesDeferred", "StateTableThrottled"}
    assert len(expressions) == len(NAMES) + 2 + len(others)
    assert fixed.alarm_metrics() == len(alarms) + len(expressions)


def test_the_document_says_what_metrics_and_alarms_cost(ledger: Ledger) -> None:
    total = len(fixed.custom_metrics()) * 0.3 + fixed.alarm_metrics() * 0.1
    assert f"| **total** | | | **{total:.2f}** |" in document(ledger).partition("## Metrics and alarms")[2]


# --- nested stacks ----------------------------------------------------------------------------------------------------


def test_a_connector_is_billed_for_its_containers_addresses_balancer_and_alarms() -> None:
    discord, tcp = ({item.name: item.number for item in nested.connector(name)} for name in ("discord", "tcp"))
    assert (discord["Fargate vCPU"], discord["Fargate GB"], discord["public IPv4 address"]) == (0.5, 1, 2)
    assert (tcp["Fargate GB"], tcp["public IPv4 address"], tcp["Network Load Balancer"]) == (2, 4, 1)
    assert (discord["metric of an alarm"], tcp["metric of an alarm"]) == (10, 4)
    assert "Network Load Balancer" not in discord


def test_a_fixed_address_is_billed_for_the_resources_of_its_network() -> None:
    assert {item.name: item.number for item in nested.fixed_address()} == {"NAT gateway": 1, "public IPv4 address": 1}
    assert sum(item.dollars for item in nested.fixed_address()) == pytest.approx(730 * 0.05)
    assert nested.break_even(2) == 2 * nested.break_even(1)


# --- the measured figures ---------------------------------------------------------------------------------------------


def test_measured_figures_replace_those_in_the_file_and_leave_the_prices() -> None:
    before = PRICES.read_text()
    figures = {
        section: {name: number + 1 for name, number in tomllib.loads(before)["measured"][section].items()}
        for section in ("cpu_milliseconds", "log_bytes")
    }
    after = tomllib.loads(warm.written(before, figures))

    assert after["measured"]["cpu_milliseconds"] == pytest.approx(figures["cpu_milliseconds"])
    assert after["measured"]["log_bytes"] == figures["log_bytes"]
    assert {**after, "measured": None} == {**tomllib.loads(before), "measured": None}
