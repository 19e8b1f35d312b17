"""A shard's facts as a Parquet file, for builds on many hosts: one row for each face, whole or not there at all.

photo     path of the photo, as the build was given it
face      number of the face in its photo; -1 = the photo has none, or could not be read
vector    its embedding, float32
readings  what was read on it, JSON; null = not asked
outline   extent, solidity and so on of its outline, JSON; null = the photo is one face on black
error     why the photo could not be read
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from index.engines.shard import Studied
from index.faces import Proportions
from index.photos import FaceFacts
from pipeline.schemas import Reading

SCHEMA: Final = pa.schema(
    [
        ("photo", pa.string()),
        ("face", pa.int32()),
        ("vector", pa.list_(pa.float32())),
        ("readings", pa.string()),
        ("outline", pa.string()),
        ("error", pa.string()),
    ]
)


def write_shard(path: Path, studied: Studied) -> None:
    """Put a file at `path`; one that is there is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(pa.Table.from_pylist(list(_rows(studied)), SCHEMA), unfinished)
    unfinished.replace(path)


def read_shard(path: Path) -> Studied:
    """What `write_shard` was given, bit for bit."""
    studied = Studied()
    for row in pq.read_table(path, schema=SCHEMA).to_pylist():
        photo = Path(row["photo"])
        faces = studied.facts.setdefault(photo, [])
        if row["error"] is not None:
            studied.unreadable[photo] = row["error"]
        elif row["face"] >= 0:
            faces.append(_face(row))
    return studied


def _rows(studied: Studied) -> Iterator[dict[str, Any]]:
    for photo, faces in studied.facts.items():
        if not faces:
            yield {"photo": str(photo), "face": -1, "error": studied.unreadable.get(photo)}
        for number, face in enumerate(faces):
            readings = None if face.readings is None else [reading.model_dump() for reading in face.readings]
            outline = None if face.outline is None else dataclasses.asdict(face.outline)
            yield {
                "photo": str(photo),
                "face": number,
                "vector": face.vector,
                "readings": None if readings is None else json.dumps(readings, ensure_ascii=False),
                "outline": None if outline is None else json.dumps(outline),
            }


def _face(row: dict[str, Any]) -> FaceFacts:
    readings, outline = row["readings"], row["outline"]
    return FaceFacts(
        vector=np.array(row["vector"], np.float32),
        readings=None if readings is None else [Reading.model_validate(reading) for reading in json.loads(readings)],
        outline=None if outline is None else Proportions(**json.loads(outline)),
    )
