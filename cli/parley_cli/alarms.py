"""Whether the alarms of a stack exist, and whether somebody gets them."""

from collections.abc import Iterator

from parley_cli.findings import Finding, ok, problem
from parley_cli.place import Place

_ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})
_SHOWN = 5
_PENDING = "PendingConfirmation"


def findings(place: Place) -> Iterator[Finding]:
    """The alarms that are missing, switched off or raised, and whether their topic notifies somebody."""
    if place.parameters.get("Observability") != "true":
        yield problem(
            f"{place.stack} has no alarms: when the bot fails, nobody is told.",
            "Set Observability to true and AlarmEmail to your address in mybot/stages, and deploy.",
        )
        return
    resources = _resources(place)
    wanted = {name for kind, _, name in resources if kind in _ALARMS}
    alarms = _existing(place)
    missing = sorted(wanted - alarms.keys())
    off = sorted(name for name in wanted & alarms.keys() if not alarms[name][1])
    raised = sorted(name for name in wanted & alarms.keys() if alarms[name][0] == "ALARM")
    if missing:
        yield problem(
            f"Alarms were deleted by hand: {_some(missing)}.", "Deploy again: CloudFormation makes them again."
        )
    if off:
        yield problem(
            f"Alarms are switched off: {_some(off)}.", "`aws cloudwatch enable-alarm-actions --alarm-names NAME`."
        )
    for name in raised:
        yield problem(f"The alarm {name} is raised.", "docs/runbook.md has a chapter for it.")
    if not missing and not off and not raised:
        yield ok(f"{len(wanted)} alarms, and none is raised.")
    yield _topic(place, resources)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _resources(place: Place) -> list[tuple[str, str, str]]:
    """Type, logical id and physical id of each resource of the stack."""
    pages = place.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=place.stack)
    listed = [one for page in pages for one in page["StackResourceSummaries"]]
    return [(one["ResourceType"], one["LogicalResourceId"], one.get("PhysicalResourceId", "")) for one in listed]


def _existing(place: Place) -> dict[str, tuple[str, bool]]:
    """State and whether the actions are enabled, by the name of the alarm."""
    kinds = ["MetricAlarm", "CompositeAlarm"]
    prefix = f"{place.stack}-"
    pages = (
        place.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=kinds)
    )
    found = [one for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for one in page.get(kind, [])]
    return {one["AlarmName"]: (one["StateValue"], one["ActionsEnabled"]) for one in found}


def _topic(place: Place, resources: list[tuple[str, str, str]]) -> Finding:
    """Whether somebody is subscribed to the topic of the alarms, and has confirmed it."""
    own = next((physical for _, logical, physical in resources if logical == "AlarmTopic"), "")
    topic = place.parameters.get("AlarmTopicArn") or own
    if not topic:
        return problem("The alarms have no topic.", "Set AlarmEmail or AlarmTopicArn in mybot/stages, and deploy.")
    pages = place.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    subscriptions = [one for page in pages for one in page["Subscriptions"]]
    confirmed = [one for one in subscriptions if one["SubscriptionArn"] != _PENDING]
    if confirmed:
        return ok("Somebody gets the alarms.")
    if not subscriptions:
        return problem(
            f"Nobody is subscribed to the topic of the alarms ({topic}).",
            f"`aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint YOU@EXAMPLE.COM`.",
        )
    addresses = ", ".join(one.get("Endpoint", "?") for one in subscriptions)
    return problem(
        f"The subscription to the alarms is not confirmed, so AWS sends nothing to {addresses}.",
        "Open the mail of AWS Notifications in that mailbox (look into the spam too), and click Confirm subscription.",
    )
