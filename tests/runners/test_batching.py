"""With PILLSCOPE_BATCH_SIZE above 1, BentoML gathers calls and takes long ones apart; every caller gets its own answer.

The setting is read when the runners' modules are, so this asks a fresh process.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.classifier import ClassifierRunner
from runners.embedder import EmbedderRunner
from runners.ocr import OcrRunner

PROGRAM = """
import asyncio, sys
import numpy as np
from pathlib import Path
from _bentoml_impl.client import RemoteProxy
from pipeline.settings import Settings
from runners.classifier import Classifier, ClassifierRunner
from runners.embedder import Embedder, EmbedderRunner
from runners.ocr import OcrRunner, Reader
from runners.remote import RemoteRunners

models = Path(sys.argv[1])
services = {"classifier": ClassifierRunner, "embedder": EmbedderRunner, "ocr": OcrRunner}

async def main():
    proxies, stack = {}, []
    for name, service in services.items():
        (method,) = service.apis.values()
        assert (method.batchable, method.max_batch_size) == (True, 4), name
        app = service.to_asgi(is_main=False)
        life = app.router.lifespan_context(app)
        stack.append(life)  # or it ends here
        await life.__aenter__()
        proxies[name] = RemoteProxy("http://127.0.0.1:3000", service=service, app=app)
        await proxies[name].__aenter__()
    runners = RemoteRunners(detector=None, background=None, **proxies, settings=Settings(runner_timeout_s=100))
    chance = np.random.default_rng(5)
    calls = [chance.integers(0, 256, (n, 384, 384, 4), np.uint8) for n in (6, 1, 2, 1, 3, 1)]
    for ask, true in (
        (runners.classify, Classifier.open(models).classify), (runners.embed, Embedder.open(models).embed),
    ):
        for images, answer in zip(calls, await asyncio.gather(*map(ask, calls)), strict=True):
            np.testing.assert_allclose(answer, true(images), atol=1e-5)
    read = Reader.open(models).read
    for images, answer in zip(calls, await asyncio.gather(*map(runners.read, calls)), strict=True):
        assert answer == read(images)
    print("every caller got its own")

asyncio.run(main())
"""


def test_calls_that_share_runs_get_their_own_answers(tiny_models: Path) -> None:
    environment = {**os.environ, "PILLSCOPE_BATCH_SIZE": "4", "PILLSCOPE_MODELS_DIR": str(tiny_models)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tiny_models)], check=False, env=environment, capture_output=True, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "every caller got its own" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("runner", [ClassifierRunner, EmbedderRunner, OcrRunner])
def test_it_is_off_by_default(runner: type) -> None:
    (method,) = runner.apis.values()  # type: ignore[attr-defined]
    assert not method.batchable
