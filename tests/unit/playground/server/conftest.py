"""Fixtures: a running playground, and a callback URL with scripted responses."""

import pytest

from tests.unit.playground.serving import receiving, serving


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def running(tmp_path, receiver):
    with serving(tmp_path, receiver) as made:
        yield made


@pytest.fixture
def http(running):
    return running[1]


@pytest.fixture
def feishu(running):
    return running[0].platforms["feishu"]
