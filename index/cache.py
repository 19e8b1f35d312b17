"""What a build has found out so far, photo by photo, so that a stopped build goes on where it was."""

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

Kind = Literal["faces", "vector", "readings"]

CACHE: Final = Path("runs") / "index-cache" / "found.sqlite"
"""Where a build keeps it unless told otherwise."""


class BuildCache:
    """Bytes by kind and key in one SQLite file. Keys name the photo's hash and the models that looked at it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=60)  # several workers write
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS found (kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) "
            "STRICT, WITHOUT ROWID"
        )

    def get(self, kind: Kind, key: str) -> bytes | None:
        row = self._database.execute("SELECT value FROM found WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, kind: Kind, values: Iterable[tuple[str, bytes]]) -> None:
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO found VALUES (?, ?, ?)", [(kind, key, value) for key, value in values]
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()


def fingerprint(*parts: str | bytes) -> str:
    """A short name for a combination of things."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:24]
