"""Replicas of one runner behind a proxy: each works, one may die, all may be replaced, and no request is lost.

Needs cores that nobody else uses for minutes: runs with SCALING_TEST=1.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fleet import Fleet, fleet
from benchmarks.load import load
from benchmarks.quota import NoQuota, cpu_quota
from benchmarks.scaling import WORKER_KILLED, disturb, measure
from tests.conftest import as_jpeg
from tests.tiny_models import bright_pill, write_tiny_models

PHOTO = as_jpeg(bright_pill())

pytestmark = pytest.mark.skipif("SCALING_TEST" not in os.environ, reason="takes minutes; SCALING_TEST=1 asks for it")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The proxy spreads connections, as a Kubernetes Service does: the harder case."""
    folder = tmp_path_factory.mktemp("fleet")
    models = str(write_tiny_models(folder / "models"))
    try:
        with fleet(folder, "embedder", 0.5, "connections", models_dir=models) as ready:
            yield ready
    except (NoQuota, FileNotFoundError) as reason:
        pytest.skip(str(reason))


def test_a_replica_that_is_added_gets_its_share(running: Fleet) -> None:
    assert measure(running, PHOTO, 2, 2, "one").share == (1.0,)
    running.add()
    with load(running.public.url, PHOTO, 4) as at_work:  # until connections have been renewed on both
        at_work.window(3)
    line = measure(running, PHOTO, 4, 4, "two")
    assert (line.window.failed, line.window.without) == (0, 0)
    assert min(line.share) > 0.15


def test_no_request_is_lost_when_replicas_die_or_are_replaced(running: Fleet) -> None:
    while len(running.replicas) < 2:
        running.add()
    *replicas, worker = disturb(running, PHOTO, 3, 6)
    for line in replicas:
        assert line.window.outcomes, line.what
        assert (line.window.failed, line.window.without) == (0, 0), line.what
    # its supervisor keeps the port open: a call that meets it may wait in vain, and the answer says what it lacks
    assert (worker.window.failed, worker.what) == (0, WORKER_KILLED)


def test_a_quota_is_set_and_taken_away() -> None:
    try:
        with cpu_quota("pillscope-test", 0.25) as group:
            files = [group / name for name in ("cpu.cfs_quota_us", "cpu.max") if (group / name).exists()]
            assert files[0].read_text().split()[0] == "25000"
    except NoQuota as reason:
        pytest.skip(str(reason))
    assert not Path(group).exists()
