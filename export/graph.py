"""A torch module as one self-contained ONNX graph that takes photos as they are: uint8, channels last."""

import io
import warnings

import onnx
import onnxslim
import torch
from torch import nn

OPSET = 18


class TakesPhotos(nn.Module):
    """(N, S, S, 3) uint8 RGB in front of a module that takes (N, 3, S, S) float32 in [0, 255].

    Args:
        dimensions: how many the output must have; a surplus channel axis of 1 is dropped.
    """

    def __init__(self, module: nn.Module, dimensions: int) -> None:
        super().__init__()
        self.module, self.dimensions = module, dimensions

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.module(image.permute(0, 3, 1, 2).float())
        return out.squeeze(1) if out.dim() == self.dimensions + 1 else out


def example(size: int, batch: int) -> torch.Tensor:
    """(batch, size, size, 3) uint8 noise to trace with."""
    return torch.randint(0, 256, (batch, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def to_onnx(module: TakesPhotos, size: int, output: str, *, batched: bool) -> onnx.ModelProto:
    """Trace, simplify and check. The input is called `image`; `batched` leaves its first dimension free.

    Raises `onnx.checker.ValidationError` where the result is not valid ONNX.
    """
    buffer = io.BytesIO()
    free = {"image": {0: "n"}, output: {0: "n"}} if batched else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both exporters warn about each other
        # The tracing exporter: for these plain networks it writes fewer and cleaner nodes than torch.export does
        torch.onnx.export(
            module.eval(), (example(size, 2 if batched else 1),), buffer, input_names=["image"], output_names=[output],
            opset_version=OPSET, dynamic_axes=free, dynamo=False,
        )  # fmt: skip
    graph: onnx.ModelProto = onnxslim.slim(onnx.load_from_string(buffer.getvalue()))
    strip(graph)
    onnx.checker.check_model(graph, full_check=True)
    return graph


def strip(model: onnx.ModelProto) -> None:
    """Remove notes of exporter and optimiser, in place: they name paths of the machine and change between runs."""
    model.producer_name, model.producer_version, model.doc_string = "pillscope", "", ""
    del model.metadata_props[:]
    model.graph.name, model.graph.doc_string = "model", ""
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
