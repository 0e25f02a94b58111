"""`tools.bench.models` compares two models of the same message."""

import msgspec

from tools.bench.models import encoders, message


def test_both_models_encode_the_same_message():
    ours, theirs = (msgspec.json.decode(encode()) for encode in encoders(message()).values())
    assert ours == theirs
    assert ours["segments"]
