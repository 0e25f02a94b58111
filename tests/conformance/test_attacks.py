"""Requests that every platform has to reject, and input on which none may raise."""

import base64

import pytest
from msgspec.structs import replace

from parley.adapter import Accepted, Headers, Rejected, Request
from parley.engine.gateway import request_of
from parley.model.codec import decode_message, encode
from parley.platforms import inbound
from tests.conformance.attacks import BAD_BODIES, changed_bodies, changed_values, noise
from tests.conformance.kit import (
    Adapter,
    Sample,
    adapters,
    gateway_event,
    receive,
    with_body,
    with_header,
    with_query,
)

NOW = 1_718_000_002.0

ADAPTERS = adapters()
SAMPLES = [(adapter, sample) for adapter in ADAPTERS.values() for sample in adapter.samples(NOW)]


def each(samples: list[tuple[Adapter, Sample]]) -> pytest.MarkDecorator:
    names = [f"{adapter.platform}: {sample.name}" for adapter, sample in samples]
    return pytest.mark.parametrize(("adapter", "sample"), samples, ids=names)


each_sample = each(SAMPLES)
each_adapter = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=lambda adapter: adapter.platform)


def rejected(outcome: Accepted | Rejected) -> bool:
    return isinstance(outcome, Rejected) and 400 <= outcome.status < 500


def sane(outcome: Accepted | Rejected, adapter: Adapter) -> None:
    """Check any outcome: a rejection, or messages that survive the queue's encoding and contain no credential."""
    if isinstance(outcome, Rejected):
        assert outcome.status in (400, 401, 403, 413)
        return
    for message in outcome.messages:
        wire = encode(message)
        assert encode(decode_message(wire)) == wire
        assert message.id
        assert message.platform == adapter.platform
        assert not [secret for secret in adapter.never_in_raw if secret.encode() in wire]


# --- genuine requests -------------------------------------------------------------------------------------------------


@each_sample
def test_a_genuine_request_is_accepted(adapter: Adapter, sample: Sample) -> None:
    outcome = receive(adapter.platform, sample.request, sample.app, NOW)
    assert isinstance(outcome, Accepted), outcome
    assert len(outcome.messages) == sample.messages
    assert outcome.response.status in (200, 202, 204)
    sane(outcome, adapter)


@each_sample
def test_the_form_of_the_gateway_event_makes_no_difference(adapter: Adapter, sample: Sample) -> None:
    plain = receive(adapter.platform, sample.request, sample.app, NOW)
    event = gateway_event(sample.request)
    variants = {
        "Base64": gateway_event(sample.request, encoded=True),
        "upper case": {**event, "headers": {name.upper(): value for name, value in event["headers"].items()}},
        "multi-value headers only": {**event, "headers": None},
        "repeated header": {
            **event,
            "headers": None,
            "multiValueHeaders": {name: ["other", value] for name, value in event["headers"].items()},
        },
        "other headers too": {**event, "headers": {**event["headers"], "X-Forwarded-For": "203.0.113.9"}},
    }
    for name, variant in variants.items():
        outcome = inbound(adapter.platform).receive(request_of(variant), sample.app, NOW)
        assert outcome == plain, name


@each_sample
def test_a_repeated_delivery_has_the_same_id(adapter: Adapter, sample: Sample) -> None:
    first, again = (receive(adapter.platform, sample.request, sample.app, NOW + wait) for wait in (0, 60))
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert [message.id for message in first.messages] == [message.id for message in again.messages]


# --- forged requests --------------------------------------------------------------------------------------------------


@each_sample
def test_a_request_that_is_signed_for_another_app_is_rejected(adapter: Adapter, sample: Sample) -> None:
    assert rejected(receive(adapter.platform, sample.request, adapter.stranger, NOW))


@each_sample
def test_a_missing_or_changed_part_of_the_signature_is_rejected(adapter: Adapter, sample: Sample) -> None:
    for changer, held, names in (
        (with_header, sample.request.headers, sample.headers),
        (with_query, sample.request.query, sample.query),
    ):
        for name in names:
            missing = changer(sample.request, name, None)
            assert rejected(receive(adapter.platform, missing, sample.app, NOW)), f"{name} missing"
            for what, value in changed_values(held[name]):
                forged = changer(sample.request, name, value)
                assert rejected(receive(adapter.platform, forged, sample.app, NOW)), f"{name}: {what}"


@each([(adapter, sample) for adapter, sample in SAMPLES if sample.body])
def test_a_changed_body_is_rejected(adapter: Adapter, sample: Sample) -> None:
    for what, body in changed_bodies(sample.request.body):
        forged = with_body(sample.request, body)
        assert rejected(receive(adapter.platform, forged, sample.app, NOW)), what


@each([(adapter, sample) for adapter, sample in SAMPLES if sample.dated and adapter.max_age is not None])
def test_a_signed_request_is_accepted_until_it_is_stale(adapter: Adapter, sample: Sample) -> None:
    assert adapter.max_age is not None
    for offset, wanted in (
        (adapter.max_age - 1, None),
        (adapter.max_age + 1, "stale"),
        (86_400, "stale"),
        (-adapter.max_ahead + 1, None),
        (-adapter.max_ahead - 1, "stale"),
    ):
        outcome = receive(adapter.platform, sample.request, sample.app, NOW + offset)
        assert getattr(outcome, "reason", None) == wanted, f"{offset} seconds later"


# --- broken requests --------------------------------------------------------------------------------------------------


@each_sample
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_rejected_and_never_raises(adapter: Adapter, sample: Sample, body: bytes) -> None:
    if sample.request.method == "POST":
        assert rejected(receive(adapter.platform, with_body(sample.request, body), sample.app, NOW))
    assert rejected(receive(adapter.platform, Request(body=body), sample.app, NOW))


@each_sample
def test_random_bytes_are_rejected_and_never_raise(adapter: Adapter, sample: Sample) -> None:
    for body in noise(seed=7, count=300):
        assert rejected(receive(adapter.platform, Request(body=body), sample.app, NOW))
        junk = body.decode("latin-1")
        headers = Headers(dict.fromkeys((*sample.headers, "content-type"), junk))
        query = dict.fromkeys((*sample.query, "x"), junk)
        request = replace(sample.request, headers=headers, query=query, body=body)
        assert rejected(receive(adapter.platform, request, sample.app, NOW))


@each_adapter
def test_a_bad_payload_in_a_valid_envelope_never_raises(adapter: Adapter) -> None:
    for body in [*BAD_BODIES.values(), *noise(seed=8, count=200)]:
        request, app = adapter.wrap(body, NOW)
        sane(inbound(adapter.platform).receive(request, app, NOW), adapter)


@each_adapter
def test_a_payload_with_wrong_types_gives_a_sane_message_or_a_rejection(adapter: Adapter) -> None:
    accepted = 0
    for payload in adapter.payloads():
        request, app = adapter.wrap(payload, NOW)
        outcome = inbound(adapter.platform).receive(request, app, NOW)
        sane(outcome, adapter)
        accepted += isinstance(outcome, Accepted)
    assert accepted > 100


def test_a_body_that_is_not_valid_base64_does_not_reach_a_platform() -> None:
    from parley.engine.gateway import BadEventError

    for body in ("*", "A", base64.b64encode(b"{}").decode() + "!"):
        with pytest.raises(BadEventError):
            request_of({"httpMethod": "POST", "body": body, "isBase64Encoded": True})
