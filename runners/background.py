"""Square crops -> masks: which pixels are the pill. Two backends behind one setting, `PILLSCOPE_BACKGROUND`. And a
verdict beside the mask: is the thing in the middle a pill at all?"""

from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import bentoml
import cv2
import numpy as np
import onnxruntime as ort
from PIL import Image

from pipeline.ports import Float32, UInt8
from pipeline.settings import settings
from runners.guard import guarded
from runners.images import resize
from runners.serving import RUNNER_CONFIG
from runners.session import input_size, open_model, session_options

OWN: Final = "pillscope"
REMBG: Final = "rembg:"

SMOOTHING: Final = 1.5
"""Deviation of the Gaussian over our network's answer, px of its input. Pills have smooth outlines; frayed rims
(white on white) get straightened. On held-out photos it moves the mean IoU by less than .001."""


class BackendUnavailable(Exception):
    """The chosen backend cannot run here; the text says what to install or choose."""


class MaskModel(Protocol):
    """A backend."""

    def probabilities(self, crops: UInt8) -> Float32:
        """(N, C, C, 3) uint8 RGB -> (N, C, C) float32 in [0, 1]: how likely each pixel is the pill."""


class OwnMaskModel:
    """Our mask network.

    Args:
        session: takes (N, S, S, 3) uint8 RGB, returns (N, S, S) float32 in [0, 1].
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self.session = session
        self.input = session.get_inputs()[0].name
        self.size = input_size(session)

    def probabilities(self, crops: UInt8) -> Float32:
        """See `MaskModel`. The network sees S x S px; its answer is smoothed and interpolated back."""
        small = np.stack([resize(crop, self.size, self.size) for crop in crops])
        answers = np.asarray(self.session.run(None, {self.input: small})[0], np.float32)
        smooth = [cv2.GaussianBlur(answer, (0, 0), SMOOTHING) for answer in answers]
        side = crops.shape[1]
        return np.stack([cv2.resize(answer, (side, side), interpolation=cv2.INTER_LINEAR) for answer in smooth])


class RembgMaskModel:
    """Any model of the `rembg` package that runs on this machine, by its name there.

    rembg keeps model files in `U2NET_HOME` (default: a folder in the home directory) and downloads what is missing.

    Raises:
        BackendUnavailable: rembg is not installed, does not know the model, cannot get its file, or would send the
            photos to somebody's server.
    """

    def __init__(self, name: str) -> None:
        try:
            import rembg  # noqa: PLC0415  # 400 MB and seconds of import: only when it is chosen
            from rembg.sessions import sessions_class  # noqa: PLC0415

            from runners import rembg_session  # noqa: F401, PLC0415  # makes `pillscope` known to rembg
        except ImportError as error:
            raise BackendUnavailable(
                f"PILLSCOPE_BACKGROUND={REMBG}{name} needs the extra: pip install 'pillscope[rembg]'"
            ) from error
        chosen = next((session for session in sessions_class if session.name() == name), None)
        if chosen is None:
            raise BackendUnavailable(f"rembg knows no model {name!r}")
        if not getattr(chosen, "is_local", lambda: True)():
            raise BackendUnavailable(f"rembg's {name!r} sends photos to another host")
        try:
            self.session = rembg.new_session(name, sess_opts=session_options(), providers=["CPUExecutionProvider"])
        except (ValueError, OSError) as error:  # a custom model without its path; no network
            raise BackendUnavailable(f"rembg cannot open its model {name!r}: {error}") from error

    def probabilities(self, crops: UInt8) -> Float32:
        """See `MaskModel`. rembg takes and returns pictures one by one."""
        masks = [self.session.predict(Image.fromarray(crop))[0].convert("L") for crop in crops]
        return np.stack([np.asarray(mask, np.float32) / 255 for mask in masks])


class Verdict:
    """The model that tells pills from what the detector takes for one: coins, beads, fingertips, keys of a keyboard.

    Args:
        session: takes (N, S, S, 3) uint8 RGB, returns (N, 1) float32 in [0, 1], one half at the bar that was chosen.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self.session = session
        self.input = session.get_inputs()[0].name
        self.size = input_size(session)

    def chances(self, crops: UInt8) -> Float32:
        """(N, C, C, 3) uint8 RGB -> (N,) float32 in [0, 1]: how likely the thing in the middle is a pill."""
        small = np.stack([resize(crop, self.size, self.size) for crop in crops])
        return np.asarray(self.session.run(None, {self.input: small})[0], np.float32)[:, 0]


class BackgroundRemover:
    """A mask model, the clean-up that makes its answer one solid pill, and the verdict on the whole."""

    def __init__(self, model: MaskModel, verdict: Verdict | None = None) -> None:
        self.model, self.verdict = model, verdict

    @classmethod
    def open(cls, models_dir: Path | None = None, backend: str = OWN) -> "BackgroundRemover":
        """The backend of a setting: `pillscope` or `rembg:<model>`. The verdict is ours with both.

        Raises:
            BackendUnavailable: rembg is not there.
            runners.session.ModelError: our models cannot be loaded.
        """
        verdict = Verdict(open_model("verdict", models_dir))
        if backend.startswith(REMBG):
            return cls(RembgMaskModel(backend.removeprefix(REMBG)), verdict)
        return cls(OwnMaskModel(open_model("background", models_dir)), verdict)

    def judge(self, crops: UInt8) -> Float32:
        """`crops`: (N, C, C, 3) uint8 RGB. Returns (N,) float32 in [0, 1]: how likely the thing in the middle of each
        is a pill; all 1 where no verdict was opened."""
        return np.ones(len(crops), np.float32) if self.verdict is None else self.verdict.chances(crops)

    def mask(self, crops: UInt8) -> UInt8:
        """`crops`: (N, C, C, 3) uint8 RGB, one pill in the middle of each.

        Returns (N, C, C) uint8: 255 on the pill, 0 elsewhere; one piece without holes, or all 0 when nothing of
        the crop looks like a pill.
        """
        return np.stack([solid_middle(answer) for answer in self.model.probabilities(crops)])


def solid_middle(probabilities: Float32) -> UInt8:
    """Of the pieces above one half, the one that holds most of the middle, its holes filled.

    `probabilities`: (C, C) float32. Returns (C, C) uint8, 0 or 255.

    A neighbour at the rim of the crop may be larger than the pill, so pieces are weighed by a bell around the
    middle. Holes are glare and imprint: a pill has none.
    """
    likely = (probabilities > 0.5).astype(np.uint8)
    count, labels = cv2.connectedComponents(likely)
    if count == 1:
        return likely
    weights = np.bincount(labels.ravel(), weights=_bell(likely.shape[0]).ravel())
    middle = (labels == 1 + int(np.argmax(weights[1:]))).astype(np.uint8)
    outer, _ = cv2.findContours(middle, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(middle, outer, -1, 255, thickness=cv2.FILLED), np.uint8)


@lru_cache(maxsize=4)
def _bell(side: int) -> Float32:
    """(side, side) float32 Gaussian around the middle; its deviation is a quarter of the side."""
    line = np.exp(-0.5 * ((np.arange(side) - (side - 1) / 2) / (side / 4)) ** 2)
    return np.asarray(np.outer(line, line), np.float32)


@guarded
@bentoml.service(name="background", **RUNNER_CONFIG)
class BackgroundRunner:
    """`BackgroundRemover` as a service of its own, with the backend of `PILLSCOPE_BACKGROUND`.

    Not batched: the crops of two requests may differ in size.
    """

    def __init__(self) -> None:
        self.remover = BackgroundRemover.open(settings().models_dir, settings().background)

    @bentoml.api
    def mask(self, crops: np.ndarray) -> np.ndarray:
        """See `BackgroundRemover.mask`."""
        return self.remover.mask(crops)

    @bentoml.api
    def judge(self, crops: np.ndarray) -> np.ndarray:
        """See `BackgroundRemover.judge`."""
        return self.remover.judge(crops)
