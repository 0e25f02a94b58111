"""CloudWatch's evaluation of an alarm, as far as the templates use it: statistics, maths, missing data, M of N."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

Minute = float | Sequence[float] | None
"""What a metric gets in a minute: samples, one sample, or nothing."""
Series = Mapping[str, Sequence[Minute]]
"""Minutes of each metric, the latest last, by the metric's Id; by its name for an alarm on one metric."""
Point = float | None
"""The value of a period. None: there is none."""
_COMPARES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def fires(alarm: Mapping[str, Any], series: Series) -> bool:
    """Whether an alarm with these properties is in ALARM after the last minute of `series`."""
    periods = alarm["EvaluationPeriods"]
    treated = alarm.get("TreatMissingData", "missing")
    assert treated in ("breaching", "notBreaching"), treated
    breaches = _COMPARES[alarm["ComparisonOperator"]]
    points = [_point(alarm, series, number) for number in range(periods)]
    breaching = [
        breaches(point, alarm["Threshold"]) if point is not None else treated == "breaching" for point in points
    ]
    return sum(breaching) >= alarm.get("DatapointsToAlarm", periods)


def rings(rule: str, firing: AbstractSet[str]) -> bool:
    """Whether a composite alarm with this rule is in ALARM while the alarms `firing` are. The rule joins by OR only."""
    terms = [re.fullmatch(r'ALARM\("\$\{(\w+)}"\)', term) for term in rule.split(" OR ")]
    assert all(terms), rule
    return any(term and term[1] in firing for term in terms)


def metrics(alarm: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The namespace and the name of each metric that an alarm watches, by Id as in `Series`."""
    if "Metrics" not in alarm:
        return {alarm["MetricName"]: (alarm["Namespace"], alarm["MetricName"])}
    stats = {each["Id"]: each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each}
    return {id_: (metric["Namespace"], metric["MetricName"]) for id_, metric in stats.items()}


def _point(alarm: Mapping[str, Any], series: Series, number: int) -> Point:
    """The value that is compared, of a period: 0 is the latest one."""
    assert series.keys() <= metrics(alarm).keys(), series.keys()
    if "Metrics" not in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return _statistic(_samples(series.get(alarm["MetricName"], ()), alarm["Period"], number), statistic)
    (returned,) = (each for each in alarm["Metrics"] if each.get("ReturnData", True))
    stats = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each}
    values = {
        id_: _statistic(_samples(series.get(id_, ()), stat["Period"], number), stat["Stat"])
        for id_, stat in stats.items()
    }
    return _value(ast.parse(returned["Expression"], mode="eval").body, values)


def _samples(minutes: Sequence[Minute], period: int, number: int) -> list[float]:
    assert period % 60 == 0
    length = period // 60
    ends = len(minutes) - number * length
    inside = minutes[max(0, ends - length) : max(0, ends)]
    return [value for each in inside if each is not None for value in (each if isinstance(each, Sequence) else [each])]


def _statistic(samples: list[float], statistic: str) -> Point:
    if not samples:
        return None
    if statistic.startswith("p"):
        return sorted(samples)[math.ceil(float(statistic[1:]) / 100 * len(samples)) - 1]
    values: dict[str, float] = {
        "Sum": sum(samples),
        "Maximum": max(samples),
        "Minimum": min(samples),
        "Average": sum(samples) / len(samples),
        "SampleCount": len(samples),
    }
    return values[statistic]


def _value(node: ast.expr, values: Mapping[str, Point]) -> Point:
    """The value of an expression. Without a value of an operand it has none, and neither has a division by zero."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=id_):
            return values[id_]
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() | float() as number)]):
            value = _value(filled, values)
            return number if value is None else value
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, other]):
            holds = _value(condition, values)
            return None if holds is None else _value(then if holds else other, values)
        case ast.BinOp(left=left, op=how, right=right) | ast.Compare(left=left, ops=[how], comparators=[right]):
            first, second = _value(left, values), _value(right, values)
            if first is None or second is None or (isinstance(how, ast.Div) and second == 0):
                return None
            return _OPERATORS[type(how)](first, second)
        case _:
            raise ValueError(f"not known here: {ast.dump(node)}")
