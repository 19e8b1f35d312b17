"""`models/manifest.json`: the list of models that may be loaded. Written whole or not at all."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

FILE = "manifest.json"


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        aside.chmod(0o644)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def add_model(models_dir: Path, name: str, model: bytes, facts: dict[str, Any]) -> dict[str, Any]:
    """Write `name`.onnx, then its manifest entry. Other entries stay as they are.

    Args:
        facts: license, input, output, training_data, metrics, command, and whatever else people should know.

    Returns the entry.
    """
    path = models_dir / FILE
    manifest = json.loads(path.read_text()) if path.exists() else {"version": 1, "models": {}}
    entry = {
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "bytes": len(model),
        **facts,
    }
    manifest["models"][name] = entry
    manifest["models"] = dict(sorted(manifest["models"].items()))
    write_atomically(models_dir / f"{name}.onnx", model)
    write_atomically(path, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    return entry
