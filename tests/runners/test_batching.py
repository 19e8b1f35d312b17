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
from prometheus_client import REGISTRY
from pipeline.settings import Settings
from runners.classifier import Classifier, ClassifierRunner
from runners.embedder import Embedder, EmbedderRunner
from runners.ocr import OcrRunner, Reader
from runners.remote import RemoteRunners

models = Path(sys.argv[1])
services = {"classifier": ClassifierRunner, "embedder": EmbedderRunner, "ocr": OcrRunner}

async def main():
    chance = np.random.default_rng(5)
    calls = [chance.integers(0, 256, (n, 384, 384, 4), np.uint8) for n in (6, 1, 2, 1, 3, 1)]
    true = {
        "classifier": Classifier.open(models).classify, "embedder": Embedder.open(models).embed,
        "ocr": Reader.open(models).read,
    }
    for name, service in services.items():
        ((called, method),) = service.apis.items()
        assert (method.batchable, method.max_batch_size) == (True, 4), name
        before = set(REGISTRY._collector_to_names)
        app = service.to_asgi(is_main=False)
        async with app.router.lifespan_context(app):
            proxy = RemoteProxy("http://127.0.0.1:3000", service=service, app=app)
            await proxy.__aenter__()
            runners = RemoteRunners(
                **dict.fromkeys(["detector", "background", *services]) | {name: proxy},
                settings=Settings(runner_timeout_s=100),
            )
            answers = await asyncio.gather(*map(getattr(runners, called), calls))
            await proxy.close()
        for images, answer in zip(calls, answers, strict=True):
            if name == "ocr":
                assert answer == true[name](images)
            else:
                np.testing.assert_allclose(answer, true[name](images), atol=1e-5)
        for collector in set(REGISTRY._collector_to_names) - before:  # of one app per process, in earnest
            REGISTRY.unregister(collector)
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
