"""A packed index in object storage: `index pack s3://BUCKET/index.zip`, S3, MinIO, Ceph or whatever fsspec knows.

Addresses with a scheme go through fsspec; a plain path stays a path. Where the store is, and who asks, is told the way
its own tools are told: `AWS_ENDPOINT_URL` (MinIO), `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` or `~/.aws`. What comes
from there is trusted no more than a file: `index.bundle` checks every byte of it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import fsspec

from index.bundle import MOST_BYTES, pack
from index.errors import ImportRefused

MOST_PACKED: Final = sum(MOST_BYTES.values())
"""Bytes of a packed index that are fetched; one that needs more is not packed."""
CHUNK: Final = 1_000_000


def is_remote(address: str) -> bool:
    """Whether an address names a store instead of a path."""
    return "://" in address


def send(folder: Path, address: str) -> None:
    """Pack an index to an address. What is in the store is the whole bundle or what was there before.

    Raises:
        IndexDamaged: the index is not whole.
        ImportRefused: the store cannot be reached, refuses, or its package is not installed.
    """
    if not is_remote(address):
        pack(folder, Path(address))
        return
    with tempfile.TemporaryDirectory() as scratch:
        packed = Path(scratch) / "index.zip"
        pack(folder, packed)
        with _refusals(address):
            system, path = _open(address)
            system.put_file(str(packed), path)


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """The bundle at an address as a file, for as long as the context is open.

    Raises ImportRefused: nothing there, the store cannot be reached, its package is not installed, or it is too large.
    """
    if not is_remote(address):
        yield Path(address)
        return
    with tempfile.TemporaryDirectory() as scratch:
        packed = Path(scratch) / "index.zip"
        with _refusals(address):
            system, path = _open(address)
            with system.open(path, "rb") as source, packed.open("xb") as target:
                written = 0
                while chunk := source.read(CHUNK):
                    written += target.write(chunk)
                    if written > MOST_PACKED:
                        raise ImportRefused(f"{address}: larger than an index can be ({MOST_PACKED} bytes)")
        yield packed


def _open(address: str) -> tuple[Any, str]:
    """The store behind an address and the path in it; nothing is taken from its cache."""
    system, path = fsspec.core.url_to_fs(address, use_listings_cache=False, skip_instance_cache=True)
    return system, path


@contextmanager
def _refusals(address: str) -> Iterator[None]:
    """Every store fails in its own words; said in ours. They may hold keys, so only the kind of error is told."""
    try:
        yield
    except ImportRefused:
        raise
    except ImportError as error:
        raise ImportRefused(f"{address}: needs a package that is not installed: pip install -e .[s3]") from error
    except FileNotFoundError as error:
        raise ImportRefused(f"{address}: there is nothing") from error
    except Exception as error:
        raise ImportRefused(f"{address}: the store could not be used ({type(error).__name__})") from error
