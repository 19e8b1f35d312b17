"""INT8 copies of a graph, to be kept only where they are faster and still right.

Static quantisation, per channel, QDQ; activation ranges from real pictures. Measured per model: small depthwise
networks often get slower.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from export.parity import difference, one_thread_session, onnx_answers


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._rows: Iterator[NDArray[np.uint8]] = iter(images[:, None])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        row = next(self._rows, None)
        return None if row is None else {"image": row}


def int8(model: onnx.ModelProto, images: NDArray[np.uint8]) -> onnx.ModelProto:
    """A statically quantised copy; activation ranges from `images` (N, S, S, 3) uint8."""
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, done = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(model, plain)
        quant_pre_process(plain, prepared)
        quantize_static(
            prepared, done, _Pictures(images), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "Gemm", "MatMul", "Add"],
        )  # fmt: skip
        return onnx.load(done)


def milliseconds(model: onnx.ModelProto, image: NDArray[np.uint8], rounds: int = 40) -> float:
    """Best time of one call on one thread, ms; `image`: (1, S, S, 3) uint8."""
    session = one_thread_session(model)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        session.run(None, {"image": image})
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


@dataclass(frozen=True, slots=True)
class Comparison:
    """INT8 beside float32 on held-out pictures. Times in ms a call, one thread."""

    float_ms: float
    int8_ms: float
    largest_difference: float
    mean_difference: float


def compare(
    model: onnx.ModelProto, quantised: onnx.ModelProto, images: NDArray[np.uint8], *, batched: bool
) -> Comparison:
    """Speed and difference of a quantised copy, on `images` (N, S, S, 3) that did not calibrate it."""
    expected = onnx_answers(model, images, batched=batched)
    found = onnx_answers(quantised, images, batched=batched)
    return Comparison(
        float_ms=milliseconds(model, images[:1]),
        int8_ms=milliseconds(quantised, images[:1]),
        largest_difference=difference(expected, found),
        mean_difference=float(np.abs(expected - found).mean()),
    )
