"""Does an ONNX file point at other files? Read from its bytes alone, without the `onnx` package.

A tensor may keep its values in a second file named by a free path (`data_location = EXTERNAL`), which no hash of
the first covers. ONNX is protobuf: this walks the few message types on the way to a tensor and skips the rest.
Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from collections.abc import Iterator
from typing import Final

_TENSOR: Final = "Tensor"
_EXTERNAL_DATA: Final = 13  # TensorProto.external_data
_DATA_LOCATION: Final = 14  # TensorProto.data_location: 0 = inside the file, 1 = EXTERNAL

_CHILDREN: Final[dict[str, dict[int, str]]] = {
    "Model": {7: "Graph", 20: "TrainingInfo", 25: "Function"},
    "Graph": {1: "Node", 5: _TENSOR, 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {5: _TENSOR, 6: "Graph", 10: _TENSOR, 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: _TENSOR, 2: _TENSOR},
    "TrainingInfo": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    _TENSOR: {},
}


def has_external_data(model: bytes) -> bool:
    """True when any tensor of the serialised ModelProto `model` lies outside it.

    Raises `ValueError` when the bytes are not protobuf.
    """
    pending: list[tuple[str, memoryview]] = [("Model", memoryview(model))]
    while pending:
        kind, message = pending.pop()
        for number, value in _fields(message):
            if kind == _TENSOR and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value == 1)):
                return True
            child = _CHILDREN[kind].get(number)
            if child is not None and isinstance(value, memoryview):
                pending.append((child, value))
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The (field number, value) pairs of one protobuf message; a value is an int or the bytes it spans."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire_type == 2:
            length, at = _varint(message, at)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise ValueError("not protobuf: unknown wire type")
        if at + length > len(message):
            raise ValueError("not protobuf: a field is longer than its message")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The base-128 number at `at`, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("not protobuf: a number is cut off")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("not protobuf: a number is too long")
