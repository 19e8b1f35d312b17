"""Weights of the published PP-OCR recognisers, read node by node from their ONNX files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn


def layer_weights(model: Path) -> Iterator[list[Tensor]]:
    """Weight and bias of each layer of an ONNX file, in the order the graph runs them; a norm's mean and variance too.

    Raises ValueError where the weight of a convolution is not a constant.
    """
    graph = onnx.load(model).graph
    values = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = torch.from_numpy(np.array(numpy_helper.to_array(node.attribute[0].t)))
    origin = {node.output[0]: node for node in graph.node}

    def value(name: str) -> Tensor | None:
        """A constant, through the reshapes and copies in front of it."""
        while name not in values and name in origin and origin[name].op_type in ("Identity", "Reshape", "Unsqueeze"):
            name = origin[name].input[0]
        return values.get(name)

    following: dict[str, onnx.NodeProto] = {}
    for node in graph.node:
        for name in node.input:
            following.setdefault(name, node)
    for node in graph.node:
        if node.op_type in ("Conv", "MatMul"):
            weight = value(node.input[1])
            if weight is None and node.op_type == "Conv":
                raise ValueError(f"{node.name}: its weight is not a constant")
            if weight is None:  # attention: both factors are computed
                continue
            after = following.get(node.output[0])
            bias = value(after.input[1]) if after is not None and after.op_type == "Add" else None
            yield [weight] if bias is None else [weight, bias.flatten()]
        elif node.op_type == "BatchNormalization":
            yield [found for name in node.input[1:] if (found := value(name)) is not None]
        elif node.op_type == "Mul" and node.input[0] in origin and origin[node.input[0]].op_type == "Div":
            scale, shift = value(node.input[1]), value(following[node.output[0]].input[1])
            if scale is not None and shift is not None and shift.ndim == 1:  # a layer norm, written out
                yield [scale, shift]


def take(layer: nn.Module, tensors: list[Tensor]) -> None:
    """Copy what `layer_weights` gave for a layer into it. Raises ValueError where it does not fit."""
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        own = [layer.weight, layer.bias, layer.running_mean, layer.running_var]
    else:
        own = [layer.weight] + ([layer.bias] if layer.bias is not None else [])
        if isinstance(layer, nn.Linear):
            tensors = [tensors[0].T, *tensors[1:]]
    for mine, given in zip(own, tensors, strict=True):
        if mine is None or mine.numel() != given.numel():
            raise ValueError(f"{layer}: {tuple(given.shape)} does not fit")
        mine.copy_(given.reshape(mine.shape))


def take_signs(head: nn.Linear, weight: Tensor, bias: Tensor, known: Sequence[str], signs: Sequence[str]) -> None:
    """Fill the layer that says the signs.

    Args:
        head: to 1 + `signs`, 0 = CTC's blank.
        weight, bias: the published ones, (inputs, 1 + known or more) and (1 + known or more,).
        known: their signs, in order.
        signs: ours, in order; those that are not known start at random, small.
    """
    place = {sign: number for number, sign in enumerate(known, 1)}
    nn.init.normal_(head.weight, std=float(weight.std()) / 2)
    head.bias.fill_(float(bias[1:].median()))
    for row, sign in [(0, ""), *enumerate(signs, 1)]:
        column = 0 if row == 0 else place.get(sign)
        if column is not None:
            head.weight[row].copy_(weight[:, column])
            head.bias[row].copy_(bias[column])
