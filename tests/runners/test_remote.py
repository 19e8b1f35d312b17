"""Whatever a runner does, the caller gets a well-formed answer or RunnerUnavailable, in time."""

import asyncio
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from bentoml.exceptions import BentoMLException

from pipeline.attributes import ATTRIBUTE_WIDTH
from pipeline.errors import RunnerUnavailable
from pipeline.schemas import Reading
from pipeline.settings import Settings
from runners.embedder import Embedder, EmbedderRunner
from runners.remote import RemoteRunners

FRAME = np.zeros((30, 40, 3), np.uint8)
CROPS = np.zeros((2, 64, 64, 3), np.uint8)
CUTOUTS = np.zeros((2, 384, 384, 4), np.uint8)
MANY = np.random.default_rng(5).integers(0, 256, (6, 384, 384, 4), np.uint8)
READING = Reading(text="TEVA", confidence=0.9, box=[0, 0, 1, 1], rotation=0)

GOOD: dict[str, Any] = {
    "detect": np.zeros((0, 5), np.float32),
    "mask": np.zeros((2, 64, 64), np.uint8),
    "judge": np.zeros(2, np.float32),
    "classify": np.zeros((2, ATTRIBUTE_WIDTH), np.float32),
    "embed": np.zeros((2, 4, 256), np.float32),
    "read": [[READING], []],
}


class Scripted:
    """A runner at the other end that answers each call with the next of its script, or raises it."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.calls = 0
        self.to_async = self

    def __getattr__(self, method: str) -> Callable[[np.ndarray], Any]:
        if method not in GOOD:
            raise AttributeError(method)
        return self._answer

    async def _answer(self, images: np.ndarray) -> Any:
        self.calls += 1
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        return await step() if callable(step) else step


def remote(runner: Any, **changes: Any) -> RemoteRunners:
    return RemoteRunners(
        detector=runner,
        background=runner,
        classifier=runner,
        embedder=runner,
        ocr=runner,
        settings=Settings(**changes),
    )


async def ask(runners: RemoteRunners, method: str) -> Any:
    images = {"detect": FRAME, "mask": CROPS, "judge": CROPS}.get(method, CUTOUTS)
    return await getattr(runners, method)(images)


@pytest.mark.parametrize("method", GOOD)
async def test_good_answers_pass(method: str) -> None:
    assert await ask(remote(Scripted(GOOD[method])), method) is not None


async def test_readings_may_come_as_plain_data() -> None:
    plain = [[READING.model_dump()], []]
    assert await ask(remote(Scripted(plain)), "read") == [[READING], []]


@pytest.mark.parametrize(
    ("method", "garbage"),
    [
        ("detect", None),
        ("detect", "nonsense"),
        ("detect", np.zeros((3, 4), np.float32)),
        ("detect", np.zeros((3, 5), np.float64)),
        ("detect", np.full((1, 5), np.nan, np.float32)),
        ("mask", np.zeros((2, 64, 64), np.float32)),
        ("mask", np.zeros((1, 64, 64), np.uint8)),
        ("judge", np.zeros((2, 1), np.float32)),
        ("judge", np.full(2, np.nan, np.float32)),
        ("classify", np.zeros((2, ATTRIBUTE_WIDTH + 1), np.float32)),
        ("classify", np.full((2, ATTRIBUTE_WIDTH), np.inf, np.float32)),
        ("embed", np.zeros((2, 256), np.float32)),
        ("embed", np.zeros((3, 4, 256), np.float32)),
        ("embed", np.array([object()] * 2)),
        ("read", [[READING]]),
        ("read", [[{"text": "TEVA"}], []]),
        ("read", 7),
    ],
)
async def test_garbage_is_a_missing_runner(method: str, garbage: Any) -> None:
    with pytest.raises(RunnerUnavailable):
        await ask(remote(Scripted(garbage)), method)


@pytest.mark.parametrize(
    "failure",
    [BentoMLException("boom"), pickle.UnpicklingError("torn"), EOFError(), ValueError("x"), TimeoutError()],
)
async def test_failures_name_the_runner_and_are_not_repeated(failure: Exception) -> None:
    runner = Scripted(failure)
    with pytest.raises(RunnerUnavailable, match="the ocr runner") as raised:
        await ask(remote(runner), "read")
    assert raised.value.runner == "ocr"
    assert runner.calls == 1


async def test_a_broken_connection_is_tried_once_more() -> None:
    runner = Scripted(aiohttp.ServerDisconnectedError(), GOOD["embed"])
    assert (await ask(remote(runner), "embed")).shape == (2, 4, 256)
    runner = Scripted(aiohttp.ClientOSError(), aiohttp.ClientOSError(), GOOD["embed"])
    with pytest.raises(RunnerUnavailable):
        await ask(remote(runner), "embed")
    assert runner.calls == 2


async def test_a_hung_runner_costs_the_timeout_and_no_more() -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    for script in ((never,), (aiohttp.ServerDisconnectedError(), never)):  # the second try has no time of its own
        started = time.monotonic()
        with pytest.raises(RunnerUnavailable):
            await ask(remote(Scripted(*script), runner_timeout_s=0.2), "classify")
        assert time.monotonic() - started < 2


async def test_a_caller_who_leaves_is_not_a_failed_runner() -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(ask(remote(Scripted(never)), "embed"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("right", [True, False])
async def test_the_token_travels_over_the_real_proxy(
    monkeypatch: pytest.MonkeyPatch, tiny_models: Path, right: bool
) -> None:
    """BentoML's own client against the guarded embedder service, without a port between them."""
    from _bentoml_impl.client import RemoteProxy

    monkeypatch.setenv("PILLSCOPE_MODELS_DIR", str(tiny_models))
    monkeypatch.setenv("PILLSCOPE_RUNNER_TOKEN", "the-token-of-this-test")
    app = EmbedderRunner.to_asgi(is_main=False)
    proxy = RemoteProxy("http://127.0.0.1:3000", service=EmbedderRunner, app=app)
    runners = remote(proxy, runner_token="the-token-of-this-test" if right else "another-wrong-token")
    async with app.router.lifespan_context(app):
        await proxy.__aenter__()
        assert await runners.unready(5) == []
        if right:
            vectors = await runners.embed(MANY)
            np.testing.assert_allclose(vectors, Embedder.open(tiny_models).embed(MANY), atol=1e-6)
        else:
            with pytest.raises(RunnerUnavailable):
                await runners.embed(CUTOUTS)
        await proxy.close()


async def test_unready_names_those_that_do_not_answer() -> None:
    class Probe(Scripted):
        def __init__(self, ready: Callable[[], Any]) -> None:
            super().__init__()
            self.ready = ready

        async def is_ready(self) -> bool:
            return await self.ready()

    async def yes() -> bool:
        return True

    async def no() -> bool:
        return False

    async def gone() -> bool:
        raise aiohttp.ClientOSError

    async def hung() -> bool:
        await asyncio.sleep(60)
        return True

    runners = RemoteRunners(
        detector=Probe(yes),
        background=Probe(no),
        classifier=Probe(gone),
        embedder=Probe(hung),
        ocr=Scripted(),  # in this process: nothing to ask
        settings=Settings(),
    )
    started = time.monotonic()
    assert await runners.unready(0.2) == ["background", "classifier", "embedder"]
    assert time.monotonic() - started < 2


class Revivable(Scripted):
    """Hangs on every call while dead; says so, or rather nothing, when asked whether it is ready."""

    dead = True

    async def is_ready(self) -> bool:
        if self.dead:
            await asyncio.sleep(60)
        return True

    async def _answer(self, images: np.ndarray) -> Any:
        self.calls += 1
        if self.dead:
            await asyncio.sleep(60)
        return GOOD["embed"]


async def test_a_silent_runner_costs_its_timeout_once_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.remote.GLANCE_S", 0.1)
    runner = Revivable()
    runners = remote(runner, runner_timeout_s=0.5)
    for _ in range(3):
        with pytest.raises(RunnerUnavailable):
            await ask(runners, "embed")
    assert runner.calls == 1  # the second and third only looked whether it is back
    runner.dead = False
    assert (await ask(runners, "embed")).shape == (2, 4, 256)
