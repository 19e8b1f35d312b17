"""Does the exported graph answer as the torch module does, on real pictures?"""

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import nn


class ParityError(Exception):
    """The graph's answers are further from torch's than the stated tolerance."""


def one_thread_session(model: onnx.ModelProto) -> ort.InferenceSession:
    """The graph in ONNX Runtime, on one CPU thread as in serving."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def torch_answers(module: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, S, S, 3) uint8 through the module, one image at a time."""
    with torch.inference_mode():
        rows = [module(torch.from_numpy(image[None])).numpy() for image in images]
    return np.concatenate(rows)


def onnx_answers(model: onnx.ModelProto, images: NDArray[np.uint8], *, batched: bool) -> NDArray[np.float32]:
    """The same through ONNX Runtime; all at once where the graph is `batched`."""
    session = one_thread_session(model)
    groups = [images] if batched else [image[None] for image in images]
    return np.concatenate([session.run(None, {"image": group})[0] for group in groups])


def difference(
    expected: NDArray[np.float32], found: NDArray[np.float32], counts: NDArray[np.bool_] | None = None
) -> float:
    """Largest absolute difference, of the values that `counts` marks where it is given.

    Raises `ParityError` when shapes differ or a value is not finite.
    """
    if expected.shape != found.shape:
        raise ParityError(f"torch answers {expected.shape}, the graph {found.shape}")
    if not np.isfinite(found).all():
        raise ParityError("the graph answers with values that are not finite")
    distances = np.abs(expected - found)
    return float(distances.max() if counts is None else distances.max(where=counts, initial=0.0))


def check(
    expected: NDArray[np.float32], model: onnx.ModelProto, images: NDArray[np.uint8], tolerance: float, *,
    batched: bool, counts: NDArray[np.bool_] | None = None,
) -> float:  # fmt: skip
    """Largest difference between torch's answers `expected` and the graph's on `images`.

    Args:
        tolerance: in units of the output.
        counts: which of the answers are ever read; all where None.

    Raises `ParityError` when it is above `tolerance`.
    """
    return within(difference(expected, onnx_answers(model, images, batched=batched), counts), tolerance)


def within(worst: float, tolerance: float) -> float:
    """`worst`, which raises `ParityError` where it is above `tolerance`."""
    if worst > tolerance:
        raise ParityError(f"differs from torch by up to {worst:.3g}, allowed are {tolerance:.3g}")
    return worst
