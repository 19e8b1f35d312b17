"""Uploads as nobody should send them: mutated photos, mutated forms, nonsense in every field. Seeded."""

import io
import random
from functools import cache
from typing import Final

import numpy as np
import requests
from PIL import Image

KINDS: Final = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
WORDS: Final = (
    "", "0", "-1", "5", "51", "1e9", "NaN", "null", "true", "round", "white", "\0", "'", '"', "😀" * 30, "A" * 5000,
    "[1]", "us-nih,x", "http://127.0.0.1/a.jpg", "../../etc/passwd", "${jndi:ldap://x}",
)  # fmt: skip
FIELDS: Final = (
    "front", "back", "image", "top_k", "catalogs", "imprint", "shape", "color", "identify", "front[]", "", "name",
    "key", "catalog", "colors", "form", "length_mm", "imprint_front", "replace",
)  # fmt: skip
ADMIN_TOKEN: Final = "the-token-of-the-benchmark"  # noqa: S105  # of a server that lives for minutes on loopback


@cache
def picture(kind: str, seed: int) -> bytes:
    """A small picture of colour blotches."""
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((96, 72)).save(out, kind)
    return out.getvalue()


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few bytes changed, dropped or inserted, or cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(0, 12)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0 if at < len(changed):
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randrange(200)]
            case 2:
                changed[at:at] = chance.randbytes(chance.randrange(20))
            case _ if chance.random() < 0.1:
                del changed[at:]
    return bytes(changed)


def hostile_request(url: str, chance: random.Random, timeout_s: float) -> requests.Response:
    """Send one hostile request to a server and return its answer. Raises `requests.RequestException`."""
    if chance.random() < 0.2:
        query = {chance.choice((*FIELDS, "name", "form")): chance.choice(WORDS) for _ in range(chance.randint(0, 4))}
        path = chance.choice(
            ("/v1/search", "/v1/items/" + requests.utils.quote(chance.choice(WORDS)), "/v1/items//drawing.svg")
        )
        return requests.get(url + path, query, timeout=timeout_s)
    path = chance.choice(("/v1/identify", "/v1/identify", "/v1/detect", "/v1/detect", "/v1/items"))
    file = mutated(picture(chance.choice(KINDS), chance.randrange(20)), chance)
    form: list[tuple[str, tuple[str | None, bytes | str]]] = [
        ("image" if path == "/v1/detect" else "front", ("photo", file))
    ]
    for _ in range(chance.randint(0, 3)):
        name, text = chance.choice(FIELDS), chance.choice(WORDS)
        form.append((name, (None, text)) if chance.random() < 0.8 else (name, (text[:50], mutated(file, chance))))
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"} if chance.random() < 0.8 else {}
    if path == "/v1/items" and chance.random() < 0.8:
        form.append(("name", (None, chance.choice(WORDS))))
    prepared = requests.Request("POST", url + path, files=form, headers=headers).prepare()
    body = prepared.body
    if isinstance(body, bytes) and chance.random() < 0.4:
        prepared.body = mutated(body, chance)
        prepared.headers["Content-Length"] = str(len(prepared.body))
    if chance.random() < 0.1:
        prepared.headers["Content-Type"] = chance.choice(
            ("", "multipart/form-data", "application/json", "image/jpeg", "multipart/form-data; boundary=" + "x" * 300)
        )
    with requests.Session() as session:
        return session.send(prepared, timeout=timeout_s)
