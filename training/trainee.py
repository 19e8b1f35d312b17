"""A network in training with all that belongs to it: optimiser, schedule, running average, and how they are resumed."""

from typing import Any

import torch
from torch import Tensor, nn

from training.journal import Journal


class Trainee:
    """AdamW under a one-cycle schedule, and a running average of the weights, which is what gets evaluated.

    Args:
        net: the network; parameters that do not require a gradient stay as they are.
        groups: (parameters, highest learning rate) of each group.
        steps: length of the whole run.
    """

    def __init__(
        self, net: nn.Module, groups: list[tuple[list[nn.Parameter], float]], steps: int, weight_decay: float
    ) -> None:
        self.net = net
        self.optimizer = torch.optim.AdamW(
            [{"params": params, "lr": rate} for params, rate in groups], weight_decay=weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, [rate for _, rate in groups], total_steps=steps, pct_start=0.06, div_factor=20
        )
        self.average = torch.optim.swa_utils.AveragedModel(
            net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
        )

    def learn(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.net)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values, to be saved; `average` holds the weights to export."""
        return {
            "net": self.net.state_dict(),
            "average": self.average.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def go_on(self, journal: Journal) -> int:
        """As far as an earlier run came, if there was one. Returns the step to go on with."""
        state = journal.resume()
        if state is None:
            return 0
        self.resume(state)
        return int(state["step"])

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state()` gave."""
        self.net.load_state_dict(state["net"])
        self.average.module.load_state_dict(state["average"])
        self.average.n_averaged.fill_(1)  # more than none: the next update averages instead of copying
        self.optimizer.load_state_dict(state["optimizer"])
        planned = {key: self.schedule.state_dict()[key] for key in ("total_steps", "_schedule_phases")}
        self.schedule.load_state_dict(state["schedule"] | planned)  # a run may be told to end sooner than it was
