"""The reader of whole faces as one ONNX file, for the benchmark: `python -m export whole_face`."""

from pathlib import Path

import numpy as np
import onnx
import torch

from export.calibration import expected_error, fit, tuning_faces
from export.half import store_half
from export.lines import HALF_TOLERANCE, TOLERANCE, traced, write_calibration
from export.parity import difference, one_thread_session, within
from pipeline.imprint_text import fold, normalise
from runners.ocr_decode import Calibration
from runners.ocr_relief import relief
from training.face_reader import MODEL, WholeFace
from training.whole_face import WholeFaceNet, WithProbabilities

NAME = "whole_face"
MOST_LETTERS = 6


def to_onnx(module: torch.nn.Module) -> onnx.ModelProto:
    """Number and size of the faces stay free."""
    axes = {"faces": {0: "n", 1: "h", 2: "w"}, "chances": {0: "n", 1: "r", 2: "t"}}
    return traced(module, torch.full((2, 128, 96), 128, dtype=torch.uint8), axes)


def export_whole_face(checkpoint: Path, data: Path, out: Path = MODEL) -> dict[str, float]:
    """Write the file. Returns the fitted confidence and its error on the tuning pills."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = WholeFaceNet(len(state["signs"]))
    net.load_state_dict(state["average"])
    module = WithProbabilities(net).eval()
    plain = to_onnx(module)
    half = store_half(plain)
    for model, tolerance in ((plain, TOLERANCE), (half, HALF_TOLERANCE)):
        session = one_thread_session(model)
        for shape in ((1, 48, 32), (3, 128, 112), (2, 96, 208)):
            faces = np.random.default_rng(shape[1]).integers(60, 200, shape, np.uint8)
            with torch.inference_mode():
                expected = module(torch.from_numpy(faces)).numpy()
            within(difference(expected, session.run(None, {"faces": faces})[0]), tolerance)
    half.metadata_props.add(key="signs", value=state["signs"])
    half.metadata_props.add(key="calibration", value="")
    write_calibration(half, Calibration())
    features, right = tuning_rows(WholeFace(one_thread_session(half)), data)
    fitted = fit(features, right)
    write_calibration(half, fitted)
    out.write_bytes(half.SerializeToString(deterministic=True))
    return {"expected_error": expected_error(fitted, features, right), "tuning_rows": float(len(right))}


def tuning_rows(reader: WholeFace, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 3) and outcomes (n,) of every row that says something on the tuning pills."""
    features, right = [], []
    for faces, wanted in tuning_faces(data):
        for row in (row for cut in faces for row in reader.rows(relief(cut)[..., 0])):
            features.append([1.0, row.said.log_probability, min(len(row.said.text), MOST_LETTERS)])
            right.append(fold("".join(normalise(row.said.text))) in wanted)
    return np.array(features), np.array(right, float)
