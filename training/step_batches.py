"""Training batches that depend on the seed and the step alone, so that a run that was stopped goes on with the next."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import cv2
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info


class StepBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches of pictures and classes by step: resuming repeats nothing and skips nothing.

    Args:
        config: `steps`, the length of the whole run, and what `batch` needs.
        first: step to begin with.
    """

    def __init__(self, config: dict[str, Any], first: int) -> None:
        self.config, self.first = config, first

    @abstractmethod
    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, 3, S, S) uint8 and (batch,) int64 class numbers of one step, drawn from (seed, step)."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        cv2.setNumThreads(1)
        info = get_worker_info()
        part, parts = (info.id, info.num_workers) if info else (0, 1)
        for step in range(self.first + part, self.config["steps"], parts):
            yield self.batch(step)
