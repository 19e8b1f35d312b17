"""One real server for all tests of this folder."""

from collections.abc import Iterator

import pytest

from benchmarks.server import Server, running
from pipeline.settings import Settings
from runners.session import ModelError, read_manifest

MODELS = {
    "detector",
    "background",
    "verdict",
    "classifier",
    "embedder",
    "ocr_detector",
    "ocr_orientation",
    "ocr_recognizer",
}


def missing_models() -> str:
    """Why no server can be started from this checkout; empty where one can."""
    folder = Settings.model_fields["models_dir"].default
    try:
        missing = MODELS - set(read_manifest(folder).models)
    except ModelError as error:
        return str(error)
    return f"models not shipped: {', '.join(sorted(missing))}" if missing else ""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With deadlines for a busy machine: these tests are about loss and recovery; speed has its own benchmark."""
    if reason := missing_models():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("server"), deadline_s="60", runner_timeout_s="50") as ready:
        yield ready
