"""A trained network read back from its exported ONNX file, so that training can go on where only that file is left.

The export folds every batch norm into the convolution before it. Folded weights train badly, so each batch norm is
laid out anew: it normalises what its convolution answers on a sample of pictures and undoes that at once, which
leaves the network's function as it was.
"""

from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.embed_net import EmbedNet


class RecoverError(RuntimeError):
    """The file is not an export of this network."""


def pairs(net: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution with the batch norm behind it, in the order they are run."""
    waiting: nn.Conv2d | None = None
    for part in net.modules():
        if isinstance(part, nn.Conv2d):
            waiting = part
        elif isinstance(part, nn.BatchNorm2d) and waiting is not None:
            yield waiting, part
            waiting = None


@torch.no_grad()
def recover(path: Path, sample: Tensor) -> EmbedNet:
    """The network of an exported file.

    Args:
        path: what `python -m export embedder` wrote.
        sample: (N, 3, S, S) float32 RGB in [0, 255], N >= 16: what the batch norms are laid out on.

    Raises RecoverError when the file's weights do not fit.
    """
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:  # weights stored as float16 are cast when the file is loaded
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].astype("float32")
    folded = [[values[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    net = EmbedNet(values["module.project.bias"].shape[0])
    couples = list(pairs(net.backbone))
    if [tuple(conv.weight.shape) for conv, _ in couples] != [weight.shape for weight, _ in folded]:
        raise RecoverError(f"{path} holds another network")
    for (conv, norm), (weight, bias) in zip(couples, folded, strict=True):
        conv.weight.copy_(torch.from_numpy(weight.copy()))
        norm.running_mean.zero_()  # type: ignore[union-attr]
        norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
        norm.weight.fill_(1)
        norm.bias.copy_(torch.from_numpy(bias.copy()))
    net.project.weight.copy_(torch.from_numpy(values["module.project.weight"].copy()))
    net.project.bias.copy_(torch.from_numpy(values["module.project.bias"].copy()))
    _lay_out(net.eval(), couples, sample)
    return net


def _lay_out(net: EmbedNet, couples: list[tuple[nn.Conv2d, nn.BatchNorm2d]], sample: Tensor) -> None:
    """Give each batch norm the statistics of `sample` and the scale and shift that undo them."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def note(part: nn.Module, _: object, out: Tensor) -> None:
        seen[part] = (out.mean(dim=(0, 2, 3)), out.var(dim=(0, 2, 3)))

    hooks = [conv.register_forward_hook(note) for conv, _ in couples]
    net(sample)
    for hook in hooks:
        hook.remove()
    for conv, norm in couples:
        mean, variance = seen[conv]
        norm.bias.add_(mean)
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_((variance + norm.eps).sqrt())
