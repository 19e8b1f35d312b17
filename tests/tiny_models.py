"""Real ONNX models of a few kilobytes that see simple pictures right, so that serving is tested without training.

They have the inputs and outputs of the shipped models: a bright pill on a dark table is found, masked, told its
colour and embedded by its coarse colour pattern. Only the reader is blind: it reads the same on every pill.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipeline.attributes import ATTRIBUTE_WIDTH, HEADS, LAYOUT

DETECTOR_SIZE = 96
MASK_SIZE = 48
CUTOUT_INPUT = 32
EMBEDDING = 256
BRIGHT = 150.0
"""Mean of R, G, B from which a pixel belongs to the pill."""

SCORE = 0.9
"""What the detector says of every bright patch."""

READS = "TEVA"
"""What the reader reads on every pill."""


class _Graph:
    """Nodes collected one call at a time; every call names and returns its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, values: object, dtype: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def model(
        self, shape: list[int | str], output: str, output_shape: list[int | str], *,
        dtype: int = TensorProto.UINT8, name: str = "image",
    ) -> onnx.ModelProto:  # fmt: skip
        graph = helper.make_graph(
            self.nodes,
            "tiny",
            [helper.make_tensor_value_info(name, dtype, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def detector_model(size: int = DETECTOR_SIZE) -> onnx.ModelProto:
    """The box around everything bright, as one anchor; score 0 when nothing is."""
    g = _Graph()
    image = g.add("Cast", "image", to=TensorProto.FLOAT)
    brightness = g.add("ReduceMean", image, axes=[3], keepdims=0)  # (1, S, S)
    bright = g.add("Cast", g.add("Greater", brightness, g.constant(BRIGHT)), to=TensorProto.FLOAT)
    edges = []
    for axis in (1, 2):  # 1: columns hit, 2: rows hit
        hit = g.add("ReduceMax", bright, axes=[axis], keepdims=0)  # (1, S)
        first = g.add("ArgMax", hit, axis=1, keepdims=1)
        last = g.add("ArgMax", hit, axis=1, keepdims=1, select_last_index=1)
        low = g.add("Cast", first, to=TensorProto.FLOAT)
        high = g.add("Add", g.add("Cast", last, to=TensorProto.FLOAT), g.constant(1.0))
        edges.append((low, high))
    half = g.constant(0.5)
    centres = [g.add("Mul", g.add("Add", low, high), half) for low, high in edges]
    sides = [g.add("Sub", high, low) for low, high in edges]
    any_bright = g.add("ReduceMax", bright, axes=[1, 2], keepdims=0)  # (1,)
    score = g.add("Reshape", g.add("Mul", any_bright, g.constant(SCORE)), g.constant([1, 1], np.int64))
    row = g.add("Concat", *centres, *sides, score, axis=1)  # (1, 5)
    g.add("Reshape", row, g.constant([1, 5, 1], np.int64), output="predictions")
    return g.model([1, size, size, 3], "predictions", [1, 5, 1])


def background_model(size: int = MASK_SIZE) -> onnx.ModelProto:
    """A pixel is pill when it is bright."""
    g = _Graph()
    image = g.add("Cast", "image", to=TensorProto.FLOAT)
    brightness = g.add("ReduceMean", image, axes=[3], keepdims=0)
    above = g.add("Div", g.add("Sub", brightness, g.constant(BRIGHT)), g.constant(10.0))
    g.add("Sigmoid", above, output="mask")
    return g.model(["n", size, size, 3], "mask", ["n", size, size])


_COLORS = {"white": (235, 235, 235), "yellow": (235, 225, 60), "pink": (245, 170, 190), "light green": (170, 230, 160)}
"""The bright colours that the tiny classifier can tell apart, sRGB."""


def verdict_model(size: int = MASK_SIZE) -> onnx.ModelProto:
    """A pill where anything bright is in the middle."""
    g = _Graph()
    image = g.add("Cast", "image", to=TensorProto.FLOAT)
    cut = [size * 3 // 8, size * 3 // 8], [size * 5 // 8, size * 5 // 8], [1, 2]
    middle = g.add("Slice", image, *(g.constant(v, np.int64) for v in cut))
    mean = g.add("ReduceMean", middle, axes=[1, 2, 3], keepdims=0)  # (N,)
    far = g.add("Sub", mean, g.constant(BRIGHT / 2))
    g.add("Sigmoid", g.add("Unsqueeze", far, g.constant([1], np.int64)), output="chance")
    return g.model(["n", size, size, 3], "chance", ["n", 1])


def classifier_model(size: int = CUTOUT_INPUT) -> onnx.ModelProto:
    """Colour by the mean over the pill; always a round, plain tablet with an imprint."""
    g = _Graph()
    image = g.add("Cast", "image", to=TensorProto.FLOAT)
    total = g.add("ReduceSum", image, g.constant([1, 2], np.int64), keepdims=0)  # (N, 3)
    lit = g.add("Cast", g.add("Greater", g.add("ReduceMax", image, axes=[3], keepdims=0), g.constant(0.0)), to=1)
    area = g.add("Add", g.add("ReduceSum", lit, g.constant([1, 2], np.int64), keepdims=0), g.constant(1.0))
    mean = g.add("Div", total, g.add("Unsqueeze", area, g.constant([1], np.int64)))  # (N, 3)
    # -|mean - color|^2 / s^2 = (2 mean.color - |color|^2 - |mean|^2) / s^2: softmax over colours drops |mean|^2
    weights = np.zeros((3, len(HEADS["colors"])), np.float32)
    bias = np.full(len(HEADS["colors"]), -1e6, np.float32)
    for name, color in _COLORS.items():
        at = HEADS["colors"].index(name)
        weights[:, at] = 2 * np.asarray(color)
        bias[at] = -float(np.square(color).sum())
    distances = g.add("Add", g.add("MatMul", mean, g.constant(weights)), g.constant(bias))
    colors = g.add("Softmax", g.add("Div", distances, g.constant(900.0)), axis=1)  # (N, 16)
    rest = np.zeros(ATTRIBUTE_WIDTH - len(HEADS["colors"]), np.float32)
    for head, name in (("shape", "round"), ("form", "tablet"), ("score_line", "none"), ("imprinted", "imprinted")):
        rest[LAYOUT[head].start - len(HEADS["colors"]) + HEADS[head].index(name)] = 0.9
    first_column = g.add("Slice", colors, *(g.constant(v, np.int64) for v in ([0], [1], [1])))
    per_row = g.add("Mul", first_column, g.constant(0.0))  # (N, 1) zeros: carries N
    g.add("Concat", colors, g.add("Add", per_row, g.constant(rest[None])), axis=1, output="probabilities")
    return g.model(["n", size, size, 3], "probabilities", ["n", ATTRIBUTE_WIDTH])


def embedder_model(size: int = CUTOUT_INPUT) -> onnx.ModelProto:
    """Mean colours of a 4 x 4 grid, projected at random: near for like pictures, and it knows up from down."""
    g = _Graph()
    image = g.add("Cast", "image", to=TensorProto.FLOAT)
    chw = g.add("Transpose", image, perm=[0, 3, 1, 2])
    cells = g.add("AveragePool", chw, kernel_shape=[size // 4, size // 4], strides=[size // 4, size // 4])
    flat = g.add("Flatten", g.add("Div", cells, g.constant(255.0)))  # (N, 48)
    projection = np.random.default_rng(0).standard_normal((48, EMBEDDING))
    vectors = g.add("Add", g.add("MatMul", flat, g.constant(projection)), g.constant(1e-3))
    g.add("LpNormalization", vectors, axis=1, p=2, output="embedding")
    return g.model(["n", size, size, 3], "embedding", ["n", EMBEDDING])


def ocr_detector_model(size: int = 192) -> onnx.ModelProto:
    """One level line of text across the middle of everything; of pictures of `size` px, that is."""
    g = _Graph()
    side = size // 2
    answer = np.zeros((1, 4, side, side), np.float32)
    answer[0, 0, side * 7 // 16 : side * 9 // 16, side // 4 : side * 3 // 4] = 0.9
    answer[0, 1], answer[0, 3] = 1.0, size / 8 / 8.0  # level; a quarter of the face high
    gray = g.add("Cast", "faces", to=TensorProto.FLOAT)
    per_face = g.add("Mul", g.add("ReduceMean", gray, axes=[1, 2], keepdims=1), g.constant(0.0))  # (N, 1, 1)
    g.add("Add", g.add("Unsqueeze", per_face, g.constant([1], np.int64)), g.constant(answer), output="answers")
    return g.model(["n", "h", "w"], "answers", ["n", 4, side, side], name="faces")


def ocr_recognizer_model(text: str = READS) -> onnx.ModelProto:
    """Reads `text` on every line: one sign, one blank and so on, as CTC has it."""
    g = _Graph()
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    steps = np.zeros((1, 2 * len(text), len(letters) + 2), np.float32)  # signs: blank, letters, space
    steps[0, 1::2, 0] = 1
    for at, letter in enumerate(text):
        steps[0, 2 * at, 1 + letters.index(letter)] = 0.9
        steps[0, 2 * at, 0] = 0.1
    gray = g.add("Cast", "lines", to=TensorProto.FLOAT)
    per_line = g.add("Mul", g.add("ReduceMean", gray, axes=[1, 2], keepdims=1), g.constant(0.0))  # (N, 1, 1)
    g.add("Add", per_line, g.constant(steps), output="chances")
    model = g.model(["n", 48, "w"], "chances", ["n", steps.shape[1], steps.shape[2]], name="lines")
    helper.set_model_props(model, {"signs": letters + " ", "calibration": "2.2 0 0"})  # 2.2: sure to .9
    return model


def write_manifest(folder: Path, files: dict[str, bytes]) -> None:
    """Write each model as `<name>.onnx` into `folder`, and the manifest that names them."""
    models = {}
    for name, content in files.items():
        (folder / f"{name}.onnx").write_bytes(content)
        models[name] = {
            "file": f"{name}.onnx",
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "license": "Apache-2.0",
        }
    (folder / "manifest.json").write_text(json.dumps({"version": 1, "models": models}))


def write_tiny_models(folder: Path, **others: onnx.ModelProto) -> Path:
    """Write the tiny models and their manifest into `folder`, made if need be. Returns it. `others` come instead."""
    folder.mkdir(parents=True, exist_ok=True)
    models = {
        "detector": detector_model(),
        "background": background_model(),
        "verdict": verdict_model(),
        "classifier": classifier_model(),
        "embedder": embedder_model(),
        "ocr_detector": ocr_detector_model(),
        "ocr_orientation": ocr_recognizer_model(),
        "ocr_recognizer": ocr_recognizer_model(),
        **others,
    }
    write_manifest(folder, {name: model.SerializeToString() for name, model in models.items()})
    return folder


def bright_pill(
    width: int = 320, height: int = 240, center: tuple[float, float] = (150.0, 110.0),
    axes: tuple[float, float] = (60.0, 40.0), color: tuple[int, int, int] = (235, 235, 235),
) -> np.ndarray:  # fmt: skip
    """A photo the tiny models understand: one ellipse on a dark table. (height, width, 3) uint8 RGB.

    `center`: x, y; `axes`: half lengths along x and y; all in px.
    """
    y, x = np.mgrid[:height, :width]
    inside = ((x + 0.5 - center[0]) / axes[0]) ** 2 + ((y + 0.5 - center[1]) / axes[1]) ** 2 <= 1
    return np.where(inside[..., None], color, (40, 35, 30)).astype(np.uint8)


def slow(rounds: int, size: int = CUTOUT_INPUT) -> onnx.ModelProto:
    """As `embedder_model`, but it first multiplies matrices `rounds` times, about 0.2 ms each: a run to be stopped."""
    model = embedder_model(size)
    one_round = helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "turn"], ["after"]),
            helper.make_node("Identity", ["going"], ["goes_on"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [128, 128]),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [128, 128]),
        ],
    )
    graph = model.graph
    for name, values in (
        ("turn", np.eye(128, dtype=np.float32)), ("start", np.zeros((128, 128), np.float32)),
        ("rounds", np.array(rounds, np.int64)), ("true", np.array(True)),
    ):  # fmt: skip
        graph.initializer.append(numpy_helper.from_array(values, name))
    last = graph.node[-1]
    vectors, last.output[0] = last.output[0], "fast"
    graph.node.append(helper.make_node("Loop", ["rounds", "true", "start"], ["spun"], body=one_round))
    graph.node.append(helper.make_node("ReduceSum", ["spun"], ["zero"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["fast", "zero"], [vectors]))
    onnx.checker.check_model(model)
    return model
