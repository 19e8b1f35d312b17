"""The runners inside this process: for the library, the command line, benchmarks and tests."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline.ports import Float32, Runners, UInt8
from pipeline.schemas import Reading
from runners.background import OWN, BackgroundRemover
from runners.classifier import Classifier
from runners.detector import Detector
from runners.embedder import Embedder
from runners.ocr import Reader

T = TypeVar("T")


def _threads() -> ThreadPoolExecutor:
    """As many threads as cores, at most four: one request keeps three busy (classify, read, embed)."""
    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="pillscope-runner")


@dataclass(frozen=True)
class LocalRunners:
    """All five protocols of `pipeline.ports`, answered by models in this process.

    They compute in threads, so that the event loop stays free; ONNX Runtime and OpenCV release the interpreter
    lock, so they do run side by side.
    """

    detector: Detector
    remover: BackgroundRemover
    classifier: Classifier
    embedder: Embedder
    reader: Reader
    threads: ThreadPoolExecutor = field(default_factory=_threads)

    async def detect(self, frame: UInt8) -> Float32:
        """See `pipeline.ports.Detector`."""
        return await self._run(self.detector.detect, frame)

    async def mask(self, crops: UInt8) -> UInt8:
        """See `pipeline.ports.Background`."""
        return await self._run(self.remover.mask, crops)

    async def judge(self, crops: UInt8) -> Float32:
        """See `pipeline.ports.Background`."""
        return await self._run(self.remover.judge, crops)

    async def classify(self, cutouts: UInt8) -> Float32:
        """See `pipeline.ports.Classifier`."""
        return await self._run(self.classifier.classify, cutouts)

    async def embed(self, cutouts: UInt8) -> Float32:
        """See `pipeline.ports.Embedder`."""
        return await self._run(self.embedder.embed, cutouts)

    async def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """See `pipeline.ports.Reader`."""
        return await self._run(self.reader.read, cutouts)

    async def _run(self, function: Callable[[UInt8], T], images: UInt8) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, images)


def load_local_runners(models_dir: Path | None = None, background: str = OWN) -> Runners:
    """Open all five models in this process.

    Args:
        models_dir: folder with manifest.json; None = the one shipped with the code.
        background: `pillscope` or `rembg:<model>`.

    Raises:
        runners.session.ModelError: a model is missing or not the one in the manifest.
        runners.background.BackendUnavailable: rembg was chosen and is not there.
    """
    local = LocalRunners(
        Detector.open(models_dir),
        BackgroundRemover.open(models_dir, background),
        Classifier.open(models_dir),
        Embedder.open(models_dir),
        Reader.open(models_dir),
    )
    return Runners(detector=local, background=local, classifier=local, embedder=local, ocr=local)
