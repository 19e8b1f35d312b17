"""Tiny real models, written once; runner services inside the test's own process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from pipeline.settings import settings
from tests.tiny_models import write_tiny_models


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with manifest."""
    return write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def in_process() -> Iterator[None]:
    """Lets several BentoML apps live one after the other in this process, each reading the environment afresh.

    Their metrics would collide in Prometheus' one registry per process; in production each app has its own. So it is
    empty for the time of a test, also of what an app of another test file has left there.
    """
    settings.cache_clear()
    before = set(REGISTRY._collector_to_names)
    for collector in before:
        REGISTRY.unregister(collector)
    yield
    for collector in set(REGISTRY._collector_to_names):
        REGISTRY.unregister(collector)
    for collector in before:
        REGISTRY.register(collector)
    settings.cache_clear()
