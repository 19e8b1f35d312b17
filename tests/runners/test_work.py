"""Work that nobody waits for ends: before it began, between two runs and in the middle of one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import anyio
import numpy as np
import pytest
from prometheus_client import REGISTRY
from starlette.types import Message, Receive, Scope, Send

from pipeline.request import REQUEST_ID, seconds_left
from runners.calls import CALLER_LEFT, DEADLINE_PASSED, RunnerCalls, bringing_along
from runners.session import session_options
from runners.work import WORK, StoppableSession, Work, WorkStopped
from tests.tiny_models import CUTOUT_INPUT, embedder_model, slow

IMAGE = np.zeros((1, CUTOUT_INPUT, CUTOUT_INPUT, 3), np.uint8)
MINUTES = 10_000_000
"""Rounds of the slow model that nobody has the time for."""
SOON_S = 10
"""What counts as at once on a machine that is busy elsewhere; the work that is stopped would take minutes."""


def session(model: object) -> StoppableSession:
    return StoppableSession(model.SerializeToString(), session_options(), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def endless() -> StoppableSession:
    return session(slow(MINUTES))


def test_the_slow_model_answers_as_the_quick_one() -> None:
    given = {"image": IMAGE}
    np.testing.assert_array_equal(session(slow(3)).run(None, given)[0], session(embedder_model()).run(None, given)[0])


def test_a_run_is_stopped_in_its_middle(endless: StoppableSession) -> None:
    work = Work()
    began = time.monotonic()
    threading.Timer(0.3, work.stop).start()
    WORK.set(work)
    with pytest.raises(WorkStopped):
        endless.run(None, {"image": IMAGE})
    assert 0.3 <= time.monotonic() - began < SOON_S
    with pytest.raises(WorkStopped):  # and none begins after it
        endless.run(None, {"image": IMAGE})


def test_a_run_that_fails_by_itself_says_so(endless: StoppableSession) -> None:
    WORK.set(Work())
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        endless.run(None, {"image": IMAGE[0]})


def test_work_of_others_goes_on(endless: StoppableSession) -> None:
    left, stays = Work(), Work()
    quick = session(slow(2_000))

    def run(work: Work, model: StoppableSession) -> None:
        WORK.set(work)
        model.run(None, {"image": IMAGE})

    with ThreadPoolExecutor(2) as threads:
        stopped = threads.submit(copy_context().run, run, left, endless)
        finished = threads.submit(copy_context().run, run, stays, quick)
        time.sleep(0.1)
        left.stop()
        finished.result(SOON_S)
        with pytest.raises(WorkStopped):
            stopped.result(SOON_S)


class Runner:
    """What stands behind `RunnerCalls`: reads the body, then runs a model in its one thread."""

    def __init__(self, model: StoppableSession) -> None:
        self.model, self.thread = model, anyio.CapacityLimiter(1)
        self.began = anyio.Event()
        self.seen: list[tuple[str, float | None]] = []
        self.runs = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.seen.append((REQUEST_ID.get(), seconds_left()))
        self.began.set()
        await anyio.to_thread.run_sync(self._run, limiter=self.thread)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _run(self) -> None:
        self.runs += 1
        self.model.run(None, {"image": IMAGE})


async def call(runner: Runner, left_s: float, leaves_after: float | None = None) -> list[int]:
    """One call as a server makes it; the statuses sent."""
    statuses: list[int] = []
    parts = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.request", "body": b"y"}]

    async def receive() -> Message:
        if parts:
            return parts.pop(0)
        await anyio.sleep(leaves_after if leaves_after is not None else 600)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    with bringing_along(left_s):
        try:
            await RunnerCalls(runner)({"type": "http", "method": "POST", "path": "/embed"}, receive, send)
        except* WorkStopped:  # BentoML's own application, which stands there in earnest, makes it an answer
            pass
    return statuses


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("pillscope_runner_calls_total", {"route": "/embed", "outcome": outcome}) or 0


async def test_a_call_brings_its_id_and_what_is_left_of_its_time() -> None:
    REQUEST_ID.set("abc-1")
    runner = Runner(session(embedder_model()))
    before = counted("200")
    assert await call(runner, 20) == [200]
    assert counted("200") == before + 1
    ((request_id, left_s),) = runner.seen
    assert request_id == "abc-1"
    assert left_s is not None
    assert 15 < left_s <= 20


async def test_work_ends_when_its_caller_leaves(endless: StoppableSession) -> None:
    runner, before = Runner(endless), counted(CALLER_LEFT)
    with anyio.fail_after(SOON_S):
        assert await call(runner, 50, leaves_after=0.3) == []
    assert (runner.runs, counted(CALLER_LEFT)) == (1, before + 1)


async def test_work_ends_at_its_deadline(endless: StoppableSession) -> None:
    runner, before = Runner(endless), counted(DEADLINE_PASSED)
    with anyio.fail_after(SOON_S):
        await call(runner, 0.3)
    assert (runner.runs, counted(DEADLINE_PASSED)) == (1, before + 1)


async def test_work_that_waits_for_its_turn_never_begins(endless: StoppableSession) -> None:
    runner = Runner(endless)
    with anyio.fail_after(SOON_S):
        async with anyio.create_task_group() as group:
            group.start_soon(call, runner, 3.0)
            await runner.began.wait()
            assert await call(runner, 50, leaves_after=0.2) == []
            assert await call(runner, 0.2) == [504]
    assert len(runner.seen) == 3
    assert runner.runs == 1


async def test_a_stranger_can_bring_nothing_along() -> None:
    from opentelemetry import baggage, context

    token = context.attach(baggage.set_baggage("pillscope.left_ms", "1", baggage.set_baggage("x", "y" * 1000)))
    with bringing_along(7):
        assert baggage.get_all() == {"pillscope.left_ms": "7000"}
    context.detach(token)
