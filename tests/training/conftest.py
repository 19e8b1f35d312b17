"""A folder of data in the published layout, with drawn pills instead of real ones."""

import csv
import gzip
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from index.importers import kr_mfds, us_nih
from pipeline.schemas import CatalogItem
from training.renderer import render_pill
from training.rendering.look import look_of

PILLS = (("round", "white", "TABLET"), ("oval", "yellow", "TABLET"), ("oblong", "blue", "CAPSULE"))


def _write_table(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def pill_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """nih/ with three pills of two sides, one of them on a consumer photo; outlined boostcamp photos; catalogs/."""
    data = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    crops, items = [], []
    (data / "nih" / "crops").mkdir(parents=True)
    for number, (shape, color, word) in enumerate(PILLS):
        form = "hard capsule" if word == "CAPSULE" else "tablet"
        item = CatalogItem(item_id="x", catalog="us-nih", name="x", shape=shape, colors=[color], form=form)
        look = look_of(item, rng)
        files = [f"{number}_front.jpg", f"{number}_back.jpg"]
        for file, side in zip(files, ("front", "back"), strict=True):
            rgba = render_pill(look, side, 224, rng)
            cv2.imwrite(str(data / "nih" / "crops" / file), rgba[..., 2::-1])
            crops.append({"file": file, "side": side, "appearance_id": f"a{number}"})
        items.append({
            "ndc9": str(number), "name": f"thing 5 MG Oral {word.title()}", "colors": color.upper(),
            "shape": "CAPSULE" if shape == "oblong" else shape.upper(), "crop_front": files[0], "crop_back": files[1],
            "appearance_group": f"g{number}",
        })  # fmt: skip
    _write_table(data / "nih" / "crops.csv", ("file", "side", "appearance_id"), crops)
    _write_table(data / "catalogs" / "us_nih.csv", us_nih.COLUMNS, items)
    _write_table(
        data / "nih" / "consumer" / "consumer.csv", ("file", "gallery_crops"),
        [{"file": "p.jpg", "gallery_crops": "1_front.jpg|1_back.jpg"}],
    )  # fmt: skip
    _write_outlined(data / "detect" / "boostcamp_train", rng)
    _write_outlined(data / "detect" / "mypillbox_train", rng)
    _write_korean(data / "catalogs")
    return data


def _write_outlined(folder: Path, rng: np.random.Generator) -> None:
    """Twenty photos of one disc each; the first is of the kind that must not be trained on."""
    (folder / "img").mkdir(parents=True)
    images, notes = [], []
    for number in range(20):
        photo = rng.integers(90, 110, (120, 160, 3)).astype(np.uint8)
        cv2.circle(photo, (70, 60), 30, (230, 230, 230), -1)
        cv2.imwrite(str(folder / "img" / f"{number:02}.png"), photo)
        images.append({
            "id": number, "file_name": f"img/{number:02}.png",
            "source_hint": "mfds-kpic-product" if number == 0 else "self-taken",
        })  # fmt: skip
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        outline = np.stack([70 + 30 * np.cos(turn), 60 + 30 * np.sin(turn)], axis=1).ravel().tolist()
        notes.append({"image_id": number, "bbox": [40, 30, 60, 60], "segmentation": [outline]})
    (folder / "coco.json").write_text(json.dumps({"images": images, "annotations": notes}), encoding="utf-8")


def _write_korean(folder: Path) -> None:
    rows = []
    for number, (shape, color, form) in enumerate(
        (("원형", "하양", "나정"), ("타원형", "노랑", "필름코팅정"), ("장방형", "파랑", "경질캡슐제, 산제"))
    ):
        rows.append({
            "품목일련번호": str(number), "품목명": "약", "업소명": "사", "의약품제형": shape, "색상앞": color,
            "제형코드명": form, "표시앞": "AB분할선C", "표시뒤": "12", "분할선앞": "-" if number == 0 else "",
        })  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, kr_mfds.COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "kr_mfds.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
