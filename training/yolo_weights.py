"""Read the tensors of a published YOLOv5 checkpoint without running what is in it.

The file is a zip with a pickle of whole `yolov5` modules. Unpickling that the usual way needs the yolov5 code base
and runs whatever the file names. Here every class but the handful that rebuild tensors becomes an inert shell, so
nothing of the file is executed; the module tree is then walked for its parameters and buffers.
"""

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "DoubleStorage": torch.float64,
}


class _Shell:
    """Stands for any class or function of the file: takes every argument, keeps its attributes, does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> "_Shell":
        return _Shell()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


def _tensor(
    storage: torch.Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> torch.Tensor:
    """What `torch._utils._rebuild_tensor_v2` does, on a flat tensor in place of a storage."""
    return torch.as_strided(storage, size, stride, offset).clone()


def _parameter(data: torch.Tensor, *_: Any) -> torch.Tensor:
    return data


class _Reader(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, index: str) -> None:
        super().__init__(archive.open(index))
        self._archive, self._folder = archive, index.rsplit("/", 1)[0]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        return _Shell

    def persistent_load(self, pid: Any) -> torch.Tensor:
        kind, dtype, key, _, count = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown persistent id {kind!r}")
        data = bytearray(self._archive.read(f"{self._folder}/data/{key}"))
        return torch.frombuffer(data, dtype=dtype, count=count)


def _collect(module: Any, prefix: str, into: dict[str, torch.Tensor]) -> None:
    for group in ("_parameters", "_buffers"):
        for name, value in getattr(module, group, {}).items():
            if isinstance(value, torch.Tensor):
                into[prefix + name] = value
    for name, child in getattr(module, "_modules", {}).items():
        _collect(child, f"{prefix}{name}.", into)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Parameters and buffers of the `model` in a YOLOv5 `.pt` file, by their state-dict name, as float32.

    Raises `ValueError` where the file holds no module under "model".
    """
    with zipfile.ZipFile(path) as archive:
        index = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
        if index is None:
            raise ValueError(f"{path.name} is not a torch zip checkpoint")
        content = _Reader(archive, index).load()
    tensors: dict[str, torch.Tensor] = {}
    model = content.get("model") if isinstance(content, dict) else None
    _collect(model, "", tensors)
    if not tensors:
        raise ValueError(f"{path.name} holds no module with tensors")
    return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


def fitting(tensors: dict[str, torch.Tensor], model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Those of `tensors` whose name and shape are in `model`'s state dict."""
    wanted = model.state_dict()
    return {name: t for name, t in tensors.items() if name in wanted and wanted[name].shape == t.shape}
