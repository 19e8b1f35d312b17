"""A model is loaded when it is the one in the manifest, and only then."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from runners.session import ModelError, input_size, model_versions, open_model
from tests.tiny_models import embedder_model, write_manifest


def rewrite(folder: Path, entry: dict[str, object]) -> None:
    (folder / "manifest.json").write_text(json.dumps({"version": 1, "models": {"embedder": entry}}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_manifest(tmp_path, {"embedder": embedder_model().SerializeToString()})
    return tmp_path


def test_opens_on_one_thread(folder: Path) -> None:
    session = open_model("embedder", folder)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session.run(None, {"image": np.zeros((2, 32, 32, 3), np.uint8)})[0].shape == (2, 256)
    assert input_size(session) == 32


def test_one_wrong_byte_is_refused_by_name(folder: Path) -> None:
    path = folder / "embedder.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"embedder\.onnx: its SHA-256"):
        open_model("embedder", folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "embedder.onnx").unlink()
    with pytest.raises(ModelError, match=r"embedder\.onnx: cannot be read"):
        open_model("embedder", folder)


def test_a_model_outside_the_manifest_is_refused(folder: Path) -> None:
    (folder / "other.onnx").write_bytes((folder / "embedder.onnx").read_bytes())
    with pytest.raises(ModelError, match="names no model 'other'"):
        open_model("other", folder)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json: cannot be read"):
        open_model("embedder", tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2, "models": {}}', '{"version": 1, "models": {"a": {}}}'])
def test_a_malformed_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        open_model("a", tmp_path)


def test_a_path_out_of_the_folder_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "embedder.onnx"
    outside.write_bytes((folder / "embedder.onnx").read_bytes())
    digest = hashlib.sha256(outside.read_bytes()).hexdigest()
    for escape in (str(outside), f"../{outside.parent.name}/embedder.onnx"):
        rewrite(folder, {"file": escape, "sha256": digest})
        with pytest.raises(ModelError, match="lies outside"):
            open_model("embedder", folder)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not a model", embedder_model().SerializeToString()[:-50]):
        write_manifest(tmp_path, {"embedder": content})
        with pytest.raises(ModelError, match=r"embedder\.onnx"):
            open_model("embedder", tmp_path)


def test_tensors_in_other_files_are_refused(tmp_path: Path) -> None:
    onnx.save(
        embedder_model(), tmp_path / "external.onnx", save_as_external_data=True, location="weights", size_threshold=0
    )
    write_manifest(tmp_path, {"embedder": (tmp_path / "external.onnx").read_bytes()})
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        open_model("embedder", tmp_path)


def test_versions_are_short_hashes(folder: Path) -> None:
    digest = hashlib.sha256((folder / "embedder.onnx").read_bytes()).hexdigest()
    assert model_versions(folder) == {"embedder": digest[:12]}
    assert model_versions(folder, "rembg:u2netp") == {"embedder": digest[:12], "background": "rembg:u2netp"}
