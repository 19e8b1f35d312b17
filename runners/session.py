"""The one place that opens an ONNX file: by name, through the manifest, hash first.

`models/manifest.json` names every model that may be loaded and its SHA-256. What is hashed is what is loaded: the
bytes are read once, checked, and handed to ONNX Runtime.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

import onnxruntime as ort
from pydantic import BaseModel, Field, ValidationError

from runners.onnx_external import has_external_data
from runners.work import StoppableSession

MODELS_DIR: Final = Path(__file__).resolve().parent.parent / "models"
MANIFEST: Final = "manifest.json"
VERSION_LENGTH: Final = 12
"""Hex digits of the SHA-256 that stand for a model's version in answers and logs."""


class ModelError(Exception):
    """A model that must not or cannot be loaded; the text names the file."""


class ModelEntry(BaseModel):
    """What loading needs of a manifest entry; licence, data and metrics stand beside it for people.

    `file`: in the models folder.
    """

    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """`models/manifest.json`, as far as serving reads it."""

    version: Literal[1]
    models: dict[str, ModelEntry]


def read_manifest(models_dir: Path = MODELS_DIR) -> Manifest:
    """The manifest of a models folder. Raises `ModelError` when it is missing or malformed."""
    path = models_dir / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: cannot be read") from error
    except ValidationError as error:
        raise ModelError(f"{path}: {error.error_count()} mistakes, first: {error.errors()[0]['msg']}") from error


def model_versions(models_dir: Path | None = None, background: str = "pillscope") -> dict[str, str]:
    """Model name -> start of its SHA-256, for answers and logs.

    `background`: the setting; a rembg model that takes the place of ours is named as it was chosen.
    """
    entries = read_manifest(models_dir or MODELS_DIR).models
    versions = {name: entry.sha256[:VERSION_LENGTH] for name, entry in entries.items()}
    return versions | ({"background": background} if background.startswith("rembg:") else {})


def read_model(name: str, models_dir: Path) -> tuple[Path, bytes]:
    """Where a model lies, and its bytes, which are those the manifest names.

    Raises:
        ModelError: not in the manifest, missing or of another hash.
    """
    entry = read_manifest(models_dir).models.get(name)
    if entry is None:
        raise ModelError(f"{models_dir / MANIFEST}: names no model {name!r}")
    path = _locate(entry, models_dir)
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read") from error
    if hashlib.sha256(model).hexdigest() != entry.sha256:
        raise ModelError(f"{path}: its SHA-256 is not the one in the manifest")
    return path, model


def open_model(name: str, models_dir: Path | None = None) -> ort.InferenceSession:
    """Open a model for inference on one CPU thread; its runs stop with the call they belong to (`runners.work`).

    Args:
        name: its key in the manifest: detector, background, classifier, embedder, verdict, ocr_detector,
            ocr_orientation, ocr_recognizer.
        models_dir: folder with manifest.json; None = the one shipped with the code.

    Raises:
        ModelError: not in the manifest, missing, of another hash, or with tensors outside the file.
    """
    path, model = read_model(name, models_dir or MODELS_DIR)
    try:
        if has_external_data(model):
            raise ModelError(f"{path}: keeps tensors in other files, which no hash covers")
        return StoppableSession(model, session_options(), providers=["CPUExecutionProvider"])
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime raises a type of its own per cause, with no common base
        raise ModelError(f"{path}: is not a model that ONNX Runtime can open") from error


def input_size(session: ort.InferenceSession) -> int:
    """Side S, px, of the square image a model takes as (N, S, S, 3)."""
    _, height, width, channels = session.get_inputs()[0].shape
    if not isinstance(height, int) or height != width or channels != 3:
        raise ModelError(f"a model takes {session.get_inputs()[0].shape}, not (N, S, S, 3) with a fixed S")
    return height


def _locate(entry: ModelEntry, models_dir: Path) -> Path:
    """Where the file of a manifest entry lies. Raises `ModelError` for one outside the folder."""
    root = models_dir.resolve()
    path = (root / entry.file).resolve()
    if not path.is_relative_to(root):
        raise ModelError(f"{entry.file}: lies outside {root}")
    return path


def session_options() -> ort.SessionOptions:
    """One thread per worker process and no spinning: the most throughput when all cores are busy.

    ONNX Runtime would otherwise start a pool of all host cores in every worker (it ignores OMP_NUM_THREADS and
    container limits) and let it spin between calls.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
