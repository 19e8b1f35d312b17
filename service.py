"""The one public BentoML service: `bentoml serve service:Pillscope`. HTTP in, HTTP out, nothing else."""

import os
import sys
import tomllib
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated, Final

import bentoml
from pydantic import Field

from api.front_door import FrontDoor
from api.logs import configure_logging
from api.operations import Operations
from api.routes import build_api
from api.start import SETTINGS
from index.errors import IndexDamaged
from index.manifest import Manifest
from index.own import OwnCatalogs, check
from index.search import LoadedIndex
from pipeline.additions import Additions
from pipeline.errors import StoreUnavailable
from pipeline.identify import Pipeline
from pipeline.ranking import RankingWeights
from pipeline.schemas import DetectionResult, Hints, Identification, Versions
from pipeline.settings import ROOT, Settings, SettingsError
from runners.background import OWN, BackgroundRunner
from runners.classifier import ClassifierRunner
from runners.detector import DetectorRunner
from runners.embedder import EmbedderRunner
from runners.ocr import OcrRunner
from runners.remote import RemoteRunners
from runners.serving import tracing
from runners.session import ModelError, model_versions, read_model


def check_start(chosen: Settings) -> None:
    """Look at every file that serving loads before any worker starts.

    Raises:
        ModelError, IndexDamaged: a file is missing or not, byte for byte, the one its manifest names, or the store of
            own items cannot be read.
    """
    for name in ("detector", "verdict", "classifier", "embedder", "ocr_detector", "ocr_orientation", "ocr_recognizer"):
        read_model(name, chosen.models_dir)
    if chosen.background == OWN:
        read_model("background", chosen.models_dir)
    manifest = Manifest.read(chosen.index_dir)
    manifest.check(chosen.index_dir)
    if chosen.own_dir is not None:
        check(chosen.own_dir, manifest.catalogs)


try:
    if sys.argv[1:2] in (["serve"], ["start-http-server"]):  # the supervisor: workers would only be started again
        check_start(SETTINGS)
    TRACING: Final = tracing(SETTINGS)
except (SettingsError, ModelError, IndexDamaged) as mistake:
    sys.exit(f"pillscope: {mistake}")

configure_logging(SETTINGS)

PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUNDLE_VERSION: Final[str] = PROJECT["version"]

# `make image`. A distribution that BentoML does not know keeps it from installing a compiler (620 MB).
IMAGE: Final = bentoml.images.Image(
    base_image=os.environ.get("BENTO_BASE_IMAGE", "python:3.11-slim-bookworm"), distro="none", python_version="3.11"
)

api = build_api(BUNDLE_VERSION)


@bentoml.service(
    name="pillscope",
    workers=1,
    image=IMAGE,
    # A backstop only: our own deadline answers before. BentoML's limit would answer outside our envelope.
    traffic={"timeout": SETTINGS.deadline_s + 20},
    logging={"access": {"enabled": False}},  # api.envelope writes that line, without query strings
    **TRACING,
)
class Pillscope:
    """Photo of a pill in, ranked medicines out.

    Over HTTP, `api.front_door.FrontDoor` answers every route by `api.routes`. The two API methods below declare the
    same routes to BentoML's own clients, and serve callers in the same process.
    """

    detector = bentoml.depends(DetectorRunner)
    background = bentoml.depends(BackgroundRunner)
    classifier = bentoml.depends(ClassifierRunner)
    embedder = bentoml.depends(EmbedderRunner)
    ocr = bentoml.depends(OcrRunner)

    def __init__(self) -> None:
        remote = RemoteRunners(
            detector=self.detector,
            background=self.background,
            classifier=self.classifier,
            embedder=self.embedder,
            ocr=self.ocr,
            settings=SETTINGS,
        )
        gallery = LoadedIndex(SETTINGS.index_dir, SETTINGS.index_effort)
        versions = Versions(
            bundle=BUNDLE_VERSION,
            models=model_versions(SETTINGS.models_dir, SETTINGS.background),
            index=gallery.version,
            catalogs=gallery.catalogs,
        )
        runners = remote.runners()
        pipeline = Pipeline(runners, gallery, versions, RankingWeights.load(SETTINGS.ranking))
        additions = None
        if SETTINGS.own_dir is not None:
            own = OwnCatalogs(SETTINGS.own_dir, gallery, versions.models["embedder"], SETTINGS.max_own_items)
            additions = Additions(pipeline, runners.embedder, own)
            with suppress(StoreUnavailable):  # lost since the start: what asks for it is told so, until it is back
                additions.load()
        self.operations = Operations(pipeline, gallery.catalogs, SETTINGS, additions)
        api.state.backend.operations = self.operations
        api.state.backend.unready = lambda: remote.unready(SETTINGS.ready_timeout_s)

    @bentoml.api(route="/v1/identify")
    async def identify(
        self,
        front: Path,
        back: Path = None,  # type: ignore[assignment]  # noqa: RUF013 (`Path | None` is text to BentoML)
        *,
        catalogs: str | None = None,
        top_k: Annotated[int, Field(ge=1, le=50)] = 5,
        imprint: str | None = None,
        shape: str | None = None,
        color: str | None = None,
    ) -> Identification:
        """One pill, photographed from one side or both: what can it be?"""
        hints = Hints(imprint=imprint, shape=shape, color=color)
        ids = catalogs.split(",") if catalogs else None
        with front.open("rb") as front_file, back.open("rb") if back else nullcontext() as back_file:
            return await self.operations.identify(front_file, back_file, ids, top_k, hints)

    @bentoml.api(route="/v1/detect")
    async def detect(self, image: Path, identify: bool = False) -> DetectionResult:
        """Every pill in one photo; with `identify`, what each of them can be."""
        with image.open("rb") as file:
            return await self.operations.detect(file, identify)


Pillscope.add_asgi_middleware(FrontDoor, api=api, settings=SETTINGS)  # type: ignore[attr-defined]  # a Service by now
