"""Go on training from a shipped ONNX file: its weights back into the network they came from.

The export folds every batch norm into the convolution before it, so a file holds convolutions only. Here each folded
convolution goes back into its place, and the norm behind it is set so that the pair still computes the same: on one
batch of pictures, scale and shift undo the normalisation by that batch's own mean and variance. In training the pair
then starts where the file left off instead of jumping to other statistics.
"""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class NotTheSameNetwork(ValueError):
    """The file's convolutions are not those of the network."""


def module_path(node: str) -> str:
    """Name of the module that an exported node computes: "/net/m/m.0/conv/Conv" -> "net.m.0.conv".

    torch writes a child of a list both as the list and as its member; the member says it all.
    """
    scopes = node.strip("/").split("/")[:-1]
    return ".".join(
        scope for scope, child in zip(scopes, [*scopes[1:], ""], strict=True) if not child.startswith(f"{scope}.")
    )


def folded_weights(path: Path) -> tuple[dict[str, tuple[Tensor, Tensor | None]], dict[str, Tensor]]:
    """What an ONNX file holds, float32: weight and bias of each convolution by the module it was exported from, and
    every stored tensor by its name."""
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:  # weights stored as float16 reach their convolution through a cast (`export.half`)
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    tensors = {name: torch.from_numpy(value.astype("float32")) for name, value in values.items()}
    found = {}
    for node in graph.node:
        if node.op_type == "Conv":
            weight, *bias = (tensors[name] for name in node.input[1:])
            found[module_path(node.name)] = (weight, bias[0] if bias else None)
        elif node.op_type == "MatMul" and node.input[1] in tensors:  # a linear layer over more than two dimensions
            tensors[f"{module_path(node.name)}.weight"] = tensors[node.input[1]].T
        elif node.op_type == "LayerNormalization":  # equal tensors are stored once, under the name of one
            for part, name in zip(("weight", "bias"), node.input[1:], strict=True):
                tensors[f"{module_path(node.name)}.{part}"] = tensors[name]
    return found, tensors


def load_shipped(net: nn.Module, path: Path, images: Tensor) -> int:
    """Fill `net`, in place, with the convolutions, linear layers and layer norms of `path`.

    Returns how many convolutions there are.

    Args:
        net: the network before folding; a norm comes right behind its convolution.
        images: a float32 batch as the network takes it, such as (N, 3, S, S); the more they look like training, the
            smoother the start.

    Raises:
        NotTheSameNetwork: names, number or shapes differ.
    """
    stored, tensors = folded_weights(path)
    names = {module: name for name, module in net.named_modules()}
    layers: list[nn.Module] = []  # in the order they are computed
    hooks = [
        module.register_forward_pre_hook(lambda module, _: layers.append(module))
        for module in net.modules()
        if isinstance(module, (*CONVOLUTIONS, *NORMS))
    ]
    was_training = net.training
    net.eval()
    with torch.no_grad():
        net(images[:1])
    for hook in hooks:
        hook.remove()
    shifts: dict[nn.Module, Tensor] = {}
    convolutions = [layer for layer in layers if isinstance(layer, CONVOLUTIONS)]
    first = names[convolutions[0]]  # in the file, names begin with what the export wrapped the network in
    prefix = next((name.removesuffix(first) for name in stored if name.endswith(f".{first}")), "")
    wanted = {f"{prefix}{names[layer]}" for layer in convolutions}
    if wanted != set(stored):
        raise NotTheSameNetwork(f"{path.name} has other convolutions: {sorted(wanted ^ set(stored))[:3]}")
    for place, layer in enumerate(layers):
        if not isinstance(layer, CONVOLUTIONS):
            continue
        weight, bias = stored[f"{prefix}{names[layer]}"]
        if weight.shape != layer.weight.shape:
            raise NotTheSameNetwork(f"{tuple(weight.shape)} does not go into {names[layer]}")
        layer.weight.data.copy_(weight)
        shift = torch.zeros(len(weight)) if bias is None else bias
        if layer.bias is not None:
            layer.bias.data.copy_(shift)
        elif place + 1 < len(layers) and isinstance(layers[place + 1], NORMS):
            shifts[layers[place + 1]] = shift
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Linear | nn.LayerNorm):
            for part, value in layer.named_parameters():
                kept = tensors.get(f"{prefix}{name}.{part}")
                if kept is None or kept.shape != value.shape:
                    raise NotTheSameNetwork(f"{path.name} has no {name}.{part} of shape {tuple(value.shape)}")
                value.data.copy_(kept)
    _undo_norms(net, shifts, images)
    net.train(was_training)
    return len(stored)


def _undo_norms(net: nn.Module, shifts: dict[nn.Module, Tensor], images: Tensor) -> None:
    """Set the norms, each when the batch first reaches it, so that all they do is add their shift."""

    def set_norm(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, NORMS)
        dims = (0, *range(2, inputs[0].ndim))
        variance, mean = torch.var_mean(inputs[0], dim=dims, correction=0)
        assert norm.running_mean is not None and norm.running_var is not None  # noqa: PT018
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_((variance + norm.eps).sqrt())
        norm.bias.data.copy_(mean + shifts[norm])

    hooks = [norm.register_forward_pre_hook(set_norm) for norm in shifts]
    with torch.no_grad():
        net(images)
    for hook in hooks:
        hook.remove()
