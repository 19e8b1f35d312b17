"""A pill that is added to a real server is found by it at once, and by the one that is started after it."""

from pathlib import Path
from typing import Any

import requests

from benchmarks.faults import adding
from benchmarks.hostile import ADMIN_TOKEN
from benchmarks.server import Server, running
from tests.conftest import as_jpeg
from tests.tiny_models import bright_pill, write_tiny_models

ORANGE = (255, 235, 200)


def identify(server: Server) -> dict[str, Any]:
    """What is found among one's own items."""
    photo = as_jpeg(bright_pill(color=ORANGE))
    response = requests.post(
        f"{server.url}/v1/identify", files={"front": photo}, data={"catalogs": "clinic"}, timeout=60
    )
    assert response.status_code == 200, response.text
    return response.json()


def test_an_added_pill_is_found_at_once_and_after_a_restart(tmp_path: Path) -> None:
    settings = {
        "models_dir": str(write_tiny_models(tmp_path / "models")), "deadline_s": "60", "runner_timeout_s": "50",
        **adding(tmp_path),
    }  # fmt: skip
    with running(tmp_path, **settings) as server:
        added = requests.post(
            f"{server.url}/v1/items",
            files={"front": as_jpeg(bright_pill(color=ORANGE))},
            data={"name": "Demo 10 mg", "catalog": "clinic", "key": "D10", "imprint_front": "TEVA"},
            headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
            timeout=90,
        )
        assert added.status_code == 201, added.text
        assert added.headers["location"] == "/v1/items/clinic:D10"
        first = identify(server)
        assert [candidate["item_id"] for candidate in first["candidates"]] == ["clinic:D10"]
        assert first["candidates"][0]["evidence"]["visual"] > 0.95

    with running(tmp_path, **settings) as server:
        again = identify(server)
        assert again["candidates"] == first["candidates"]
        assert requests.get(f"{server.url}/v1/items/clinic:D10", timeout=30).json() == added.json()
