"""The networks that `benchmarks.backbones` sets side by side: how each starts, and what it costs once exported."""

import copy
import time
from pathlib import Path
from typing import Final, Literal

import numpy as np
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from export.graph import TakesPhotos, to_onnx
from export.half import store_half
from export.parity import one_thread_session
from runners.session import MODELS_DIR
from training.shipped import load_shipped
from training.starts import load_by_order, load_state, start_file

Start = Literal["scratch", "ImageNet", "shipped"]

DIMENSION: Final = 256
STARTS: Final = {"tf_efficientnet_lite0": "efficientnet_lite0", "mobilenetv2_100": "mobilenetv2"}
"""Which pretrained start a timm network has; the others have none that a package index offers."""
KEPT_STAGES: Final = 5
RIDGE: Final = 0.01


class Student(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N, dimension) L2-normalised: a timm backbone and a linear projection.

    A network with a start keeps its stem and first five of seven stages, and only the rest is trained: what the kept
    part makes of a picture is then made once (`lower`), and a step costs a fifth. One from scratch is trained whole.
    """

    def __init__(self, name: str, start: Start, dimension: int = DIMENSION) -> None:
        super().__init__()
        self.backbone = timm.create_model(name, num_classes=0)
        mean, std = (torch.tensor(self.backbone.default_cfg[key]).view(1, 3, 1, 1) * 255 for key in ("mean", "std"))
        self.mean, self.std = mean, std
        self.backbone.eval()
        with torch.no_grad():
            width = self.backbone(torch.zeros(1, 3, 64, 64)).shape[1]
        self.project = nn.Linear(width, dimension)
        self.frozen: list[nn.Module] = []
        if start != "scratch":
            self.frozen = [self.backbone.conv_stem, self.backbone.bn1, *self.backbone.blocks[:KEPT_STAGES]]
        for part in self.frozen:
            part.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "Student":
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def lower(self, images: Tensor) -> Tensor:
        """What the kept part makes of (N, 3, S, S) pictures; the pictures themselves where nothing is kept."""
        if not self.frozen:
            return images
        images = (images - self.mean) / self.std
        for part in self.frozen:
            images = part(images)
        return images

    def upper(self, lower: Tensor) -> Tensor:
        """(N, width) pooled features of what `lower` gave."""
        if not self.frozen:
            return self.backbone((lower - self.mean) / self.std)
        backbone = self.backbone
        deep = backbone.bn2(backbone.conv_head(backbone.blocks[KEPT_STAGES:](lower)))
        return backbone.forward_head(deep)

    def features(self, images: Tensor) -> Tensor:
        """(N, width) pooled features before the projection."""
        return self.upper(self.lower(images))

    def forward(self, images: Tensor) -> Tensor:
        return functional.normalize(self.project(self.features(images)))


def begin(name: str, start: Start, pictures: Tensor, wheels: Path | None, models: Path = MODELS_DIR) -> Student:
    """A student before its first step.

    Args:
        pictures: (N, 3, S, S) float32, on which the norms of the shipped network are set (`training.shipped`).
        wheels: folder that may hold the pretrained starts, see `training.starts`.
        models: folder with the shipped embedder.
    """
    student = Student(name, start).to(memory_format=torch.channels_last)
    if start == "ImageNet":
        load_by_order(student.backbone, load_state(start_file(STARTS[name], wheels)))
    elif start == "shipped":
        load_shipped(student, models / "embedder.onnx", pictures)
    return student


@torch.no_grad()
def fit_projection(project: nn.Linear, features: Tensor, targets: Tensor) -> None:
    """Set the projection, in place, to the ridge regression from `features` (n, width) to `targets` (n, dimension)."""
    mean, middle = features.mean(dim=0), targets.mean(dim=0)
    centred = features - mean
    gram = centred.T @ centred
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    weight = torch.linalg.solve(gram, centred.T @ (targets - middle)).T
    project.weight.copy_(weight)
    project.bias.copy_(middle - weight @ mean)


def cost(student: Student, size: int, rounds: int = 60) -> tuple[list[float], float]:
    """Times of one picture on one thread of ONNX Runtime, ms of that thread's own processor time (a busy machine counts
    for less than on the clock); and size of the file with its weights as float16, MB."""
    net = copy.deepcopy(student).eval()
    if hasattr(net.backbone, "fuse"):  # RepViT: its branches become one convolution
        net.backbone.fuse()
    graph = store_half(to_onnx(TakesPhotos(net, 2), size, "embedding", batched=True))
    session = one_thread_session(graph)
    picture = np.random.default_rng(0).integers(0, 256, (1, size, size, 3)).astype(np.uint8)
    times = []
    for number in range(rounds + 5):
        began = time.thread_time()
        session.run(None, {"image": picture})
        if number >= 5:  # the first ones allocate
            times.append((time.thread_time() - began) * 1e3)
    return times, graph.ByteSize() / 1e6
