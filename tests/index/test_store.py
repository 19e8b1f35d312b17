"""A packed index in object storage, against a server that speaks S3 on loopback (moto; MinIO speaks the same)."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from fsspec.registry import _registry
from moto.server import ThreadedMotoServer

from index import store
from index.__main__ import main
from index.errors import ImportRefused
from index.search import LoadedIndex
from index.store import fetched, send
from tests.index.small_index import build_small

BUCKET = "indexes"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket, found the way MinIO's users name theirs."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    for name, value in (
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "very-secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
    requests.put(f"{url}/{BUCKET}", timeout=10).raise_for_status()
    yield url
    server.stop()


def test_an_index_goes_to_a_bucket_and_comes_back(
    folder: Path, endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"s3://{BUCKET}/2026/index.zip"
    assert main(["pack", address, "--index", str(folder)]) == 0
    assert main(["unpack", address, "--out", str(tmp_path / "out")]) == 0
    assert LoadedIndex(tmp_path / "out").version == LoadedIndex(folder).version
    assert LoadedIndex(folder).version in capsys.readouterr().out


def test_what_lies_in_a_bucket_is_checked_like_a_file(endpoint: str, tmp_path: Path) -> None:
    requests.put(f"{endpoint}/{BUCKET}/index.zip", data=b"no index", timeout=10).raise_for_status()
    assert main(["unpack", f"s3://{BUCKET}/index.zip", "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", [f"s3://{BUCKET}/absent.zip", "s3://no-such-bucket/index.zip", "nosuch://x/y"])
def test_nothing_there_is_said_in_one_line(
    endpoint: str, tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["unpack", address, "--out", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"error: {address}: ")


def test_a_store_that_does_not_answer_tells_no_key(
    folder: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ImportRefused) as refused:
        send(folder, f"s3://{BUCKET}/index.zip")
    assert "very-secret" not in str(refused.value)


def test_a_bundle_without_end_is_not_fetched(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_PACKED", 1000)
    requests.put(f"{endpoint}/{BUCKET}/index.zip", data=bytes(2000), timeout=10).raise_for_status()
    with pytest.raises(ImportRefused, match="larger than an index"), fetched(f"s3://{BUCKET}/index.zip"):
        pass


def test_without_the_package_it_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(_registry, "s3", raising=False)  # it remembers whom it imported
    with pytest.raises(ImportRefused, match=r"\[s3\]"), fetched(f"s3://{BUCKET}/index.zip"):
        pass
