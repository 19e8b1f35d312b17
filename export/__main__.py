"""`python -m export MODEL`: checkpoint -> checked ONNX file in models/, entered in its manifest."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from export.finder import NAME as FINDER
from export.finder import export_finder
from export.graph import OPSET, TakesPhotos, to_onnx
from export.half import store_half
from export.lines import NAME as RECOGNIZER
from export.lines import ORIENTATION, export_reader
from export.manifest import add_model
from export.parity import check, torch_answers
from export.quantise import compare, int8
from export.samples import pictures
from export.targets import TARGETS, Target
from export.whole_face import NAME as WHOLE_FACE
from export.whole_face import export_whole_face

PARITY_PICTURES = 16
CALIBRATION_PICTURES = 64
OCR = {
    FINDER: ("finder", "finder"),
    RECOGNIZER: ("reader", "reader"),
    ORIENTATION: ("reader_tiny", "reader --config configs/reader_tiny.yaml"),
}
"""Models whose input is no photo: the folder of their run, and how their training is called."""


def export(target: Target, module: nn.Module, data: Path | None) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """A module as its final graph, float16 weights, and what was measured against torch.

    Args:
        module: what `Target.load` returns.
        data: folder with real pictures to check on; None checks on rendered ones.

    Raises `export.parity.ParityError` where the graph, before or after float16 storage, differs too much.
    """
    size = int(getattr(module, "input_size", target.size))
    wrapped = TakesPhotos(module, len(target.shape)).eval()
    images = pictures(target, size, PARITY_PICTURES, data)
    expected = torch_answers(wrapped, images)
    plain = to_onnx(wrapped, size, target.output, batched=target.batched)
    counts = target.counts(expected) if target.counts else None
    exact = check(expected, plain, images, target.tolerance, batched=target.batched, counts=counts)
    half = store_half(plain)
    stored = check(expected, half, images, target.half_tolerance, batched=target.batched, counts=counts)
    lead = "n" if target.batched else 1
    facts = {
        "license": target.license,
        "input": {"name": "image", "dtype": "uint8", "shape": [lead, size, size, 3], "layout": "NHWC", "color": "RGB"},
        "output": {
            "name": target.output,
            "dtype": "float32",
            "shape": _shape(half),
            "meaning": target.meaning,
        },
        "opset": OPSET,
        "weights": "float16, cast to float32 at load",
        "training_data": list(target.data),
        "parity": {
            "pictures": len(images),
            "real": data is not None,
            "float32": {"largest_difference": exact, "tolerance": target.tolerance},
            "float16_weights": {"largest_difference": stored, "tolerance": target.half_tolerance},
        },
    }
    return half, facts


def _shape(model: onnx.ModelProto) -> list[int | str]:
    dimensions = model.graph.output[0].type.tensor_type.shape.dim
    return [d.dim_param or d.dim_value for d in dimensions]


def quantised(target: Target, model: onnx.ModelProto, data: Path | None) -> onnx.ModelProto:
    """The INT8 copy of `model`; prints its speed and difference on pictures that did not calibrate it."""
    size = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    images = pictures(target, size, CALIBRATION_PICTURES + PARITY_PICTURES, data)
    small = int8(model, images[PARITY_PICTURES:])
    found = compare(model, small, images[:PARITY_PICTURES], batched=target.batched)
    print("int8:", json.dumps(asdict(found)))
    return small


def export_ocr(name: str, checkpoint: Path, data: Path | None, models: Path) -> None:
    """The text finder or the line recogniser, whose input is no photo."""
    model, facts = export_finder(checkpoint) if name == FINDER else export_reader(checkpoint, data)
    measured = checkpoint.parent / "metrics.json"
    facts["metrics"] = json.loads(measured.read_text()) if measured.exists() else {}
    facts["command"] = f"python -m training {OCR[name][1]} && python -m export {name}"
    entry = add_model(models, name, model.SerializeToString(deterministic=True), facts)
    print(json.dumps(entry, indent=2, ensure_ascii=False))


def main(argv: Sequence[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("model", choices=sorted([*TARGETS, *OCR, WHOLE_FACE]))
    parser.add_argument("--checkpoint", type=Path, help="default: runs/MODEL/best.pt")
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"),
        help="folder with real pictures to check on (or env PILLSCOPE_DATA); without it rendered ones serve",
    )  # fmt: skip
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder to write into")
    parser.add_argument(
        "--int8", choices=["compare", "keep"],
        help="also quantise to INT8: only print speed and difference, or ship it as the model",
    )  # fmt: skip
    parser.add_argument(
        "--config", type=Path, help="that the training was run with, if not its default: for the record"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    if args.model in OCR:
        checkpoint = args.checkpoint or Path("runs") / OCR[args.model][0] / "best.pt"
        export_ocr(args.model, checkpoint, Path(args.data) if args.data else None, args.models)
        return
    if args.model == WHOLE_FACE:
        if not args.data:
            parser.error("the confidence is fitted on real faces: name the folder with the data, --data DIR")
        print(json.dumps(export_whole_face(args.checkpoint or Path("runs/whole_face/best.pt"), Path(args.data))))
        return
    target = TARGETS[args.model]
    checkpoint = args.checkpoint or Path("runs") / target.name / "best.pt"
    if not checkpoint.is_file():
        parser.error(f"{checkpoint} is missing: run `python -m training {target.name}` first")
    data = Path(args.data) if args.data else None
    model, facts = export(target, target.load(checkpoint), data)
    if args.int8:
        small = quantised(target, model, data)
        if args.int8 == "keep":
            model, facts["weights"] = small, "int8, per channel; activations uint8"
    measured = checkpoint.parent / "metrics.json"
    facts["metrics"] = json.loads(measured.read_text()) if measured.exists() else {}
    config = f" --config {args.config}" if args.config else ""
    facts["command"] = f"python -m training {target.name}{config} && python -m export {target.name}{config}"
    entry = add_model(args.models, target.name, model.SerializeToString(deterministic=True), facts)
    print(json.dumps(entry, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
