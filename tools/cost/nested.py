"""What the nested stacks cost each month: the containers of a connector, and the network with a fixed address.

The amounts are counted from the resources of stacks/*.yaml and from what template.yaml gives to them.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.template import nested, of_type
from tools.cost.figures import ASSUMPTIONS, PER_GB, PER_HOUR, PER_MONTH

ZONES = 2
"""Zones in which a connector and the functions are."""
CONNECTORS = {"discord": "DiscordConnector", "tcp": "TcpConnector"}


class Monthly(NamedTuple):
    """A billed item: how many there are, and dollars for one in a month."""

    name: str
    number: float
    price: float

    @property
    def dollars(self) -> float:
        """Dollars in a month."""
        return self.number * self.price


def connector(name: str) -> list[Monthly]:
    """The billed items of a connector, with its alarms and one load balancer capacity unit."""
    given = of_type("AWS::CloudFormation::Stack")[CONNECTORS[name]]["Properties"]["Parameters"]
    task, memory = _resource("Task"), nested("connector")["Parameters"]["Memory"]["Default"]
    tasks = _resource("Containers")["DesiredCount"]
    megabytes = int(given.get("Memory", memory))
    alarms = list(_alarms(name))
    items = [
        _hourly("Fargate vCPU", tasks * int(task["Cpu"]) / 1024),
        _hourly("Fargate GB", tasks * megabytes / 1024),
        _hourly("public IPv4 address", tasks + (ZONES if "Port" in given else 0)),
    ]
    if "Port" in given:
        items += [_hourly("Network Load Balancer", 1), _hourly("load balancer capacity unit", 1)]
    own = {alarm["MetricName"] for alarm in alarms if alarm["Namespace"] == "Parley"}
    items.append(Monthly("custom metric of an alarm", len(own), PER_MONTH["custom metric"]))
    items.append(Monthly("metric of an alarm", len(alarms), PER_MONTH["metric of an alarm"]))
    return items


def fixed_address() -> list[Monthly]:
    """The billed items of stacks/network.yaml, without traffic."""
    return [
        _hourly("NAT gateway", _number("NatGateway")),
        _hourly("public IPv4 address", _number("EIP")),
    ]


def nat_instance() -> list[Monthly]:
    """The billed items of a network with an instance of the smallest kind in place of the NAT gateway."""
    return [_hourly("t4g.nano", 1), _hourly("public IPv4 address", 1)]


def endpoints(services: int) -> float:
    """Dollars for interface endpoints of `services` in a month."""
    return services * _hourly("interface endpoint in a zone", ZONES).dollars


def break_even(services: int) -> float:
    """The GB in a month at which the traffic through the NAT gateway costs as much as these endpoints."""
    return endpoints(services) / (PER_GB["NAT gateway"] - PER_GB["interface endpoint"])


def _hourly(name: str, number: float) -> Monthly:
    return Monthly(name, number, PER_HOUR[name] * ASSUMPTIONS["hours_per_month"])


def _number(kind: str) -> int:
    return sum(body["Type"] == f"AWS::EC2::{kind}" for body in nested("network")["Resources"].values())


def _resource(name: str) -> dict[str, Any]:
    return nested("connector")["Resources"][name]["Properties"]


def _alarms(name: str) -> Iterator[dict[str, Any]]:
    conditions = {"Observed", "ObservedGateway" if name == "discord" else "ObservedListener"}
    for body in of_type("AWS::CloudWatch::Alarm", "connector").values():
        if body["Condition"] in conditions:
            yield body["Properties"]
