"""Tiny catalogue files in the published formats, written by the tests themselves."""

import csv
import gzip
import io
from pathlib import Path

from index.importers import kr_mfds, table, tw_tfda, us_nih

MFDS = {
    "품목일련번호": "200402048", "품목명": "세파렉스캡슐(세파클러수화물)", "업소명": "오스틴제약(주)",
    "표시앞": "Wal C11", "표시뒤": "", "의약품제형": "장방형", "색상앞": "보라",
    "색상뒤": "하양", "크기장축": "17.60", "크기단축": "6.07",
    "제형코드명": "경질캡슐제, 산제", "변경일자": "20210112",
}  # fmt: skip
MFDS_SCORED = {
    "품목일련번호": "199500630", "품목명": "알게이트정(알마게이트)", "업소명": "(주)일화", "표시앞": "IH분할선AL",
    "표시뒤": "마크", "의약품제형": "타원형", "색상앞": "하양, 투명", "분할선앞": "-", "크기장축": "13.9",
    "크기단축": "8.9", "제형코드명": "나정", "표기내용뒤": "SA,꽃잎,5A", "변경일자": "20160315",
}  # fmt: skip
NIH = {
    "ndc9": "93-7270", "name": "pravastatin sodium 80 MG Oral Tablet", "imprint": "TEVA;7270", "colors": "WHITE",
    "shape": "OVAL", "labeler": "Teva Pharmaceuticals USA Inc", "active": "PRAVASTATIN 80 mg",
    "crop_front": "a_0.jpg", "crop_back": "a_1.jpg", "appearance_group": "g1",
}  # fmt: skip
NIH_TWIN = {
    "ndc9": "615-7740", "imprint_from_twin": "TEVA;7270 || teva;7270; || TEVA;7280", "shape_from_twin": "OVAL",
    "colors_from_twin": "WHITE", "active": "pravastatin 80 mg", "crop_front": "a_0.jpg", "crop_back": "a_1.jpg",
    "appearance_group": "g1",
}  # fmt: skip
NIH_UNREAD = {
    "ndc9": "2-4464",
    "shape": "TEAR",
    "colors": "YELLOW|BLUE",
    "crop_front": "b_0.jpg",
    "crop_back": "b_1.jpg",
}
TFDA = {
    "id": "衛署藥製字第045177號", "zh": "冠脈循膜衣錠", "en": "NIFECARDIA F.C. TABLETS 30MG", "color": "粉|白",
    "shape": "橢圓形", "score_mark": "直線", "size": "8.9", "mark1": "CCP", "mark2": "78", "images": "p.webp",
    "same_photo_ids": "衛署藥製字第000001號",
}  # fmt: skip
TFDA_CAPSULE = {
    "id": "衛署藥製字第000001號", "zh": "速治疼軟膠囊", "en": "Migfen Soft Capsules", "color": "藍", "shape": "膠囊",
    "score_mark": "無", "size": "15|15", "images": "p.webp|q.webp", "same_photo_ids": "衛署藥製字第045177號",
}  # fmt: skip
OWN = {
    "key": "A-1", "name": "Demo 10 mg", "manufacturer": "Own Lab", "imprint_front": "DEMO", "imprint_back": "-",
    "shape": "Capsule", "colors": "grey; white", "form": "capsule", "length_mm": "18", "photo_front": "front.png",
}  # fmt: skip

COLUMNS = {
    "kr_mfds.csv.gz": kr_mfds.COLUMNS, "us_nih.csv": us_nih.COLUMNS, "tw_tfda.csv": tw_tfda.COLUMNS,
    "own.csv": table.COLUMNS,
}  # fmt: skip


def write(path: Path, *rows: dict[str, str], extra: str = "") -> Path:
    """Write rows in the format that goes with the file's name; cells not given stay empty. `extra`: raw text behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS[path.name], restval="")
    writer.writeheader()
    writer.writerows(rows)
    content = (text.getvalue() + extra).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
