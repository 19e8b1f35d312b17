"""The Korean MFDS pill identification list (의약품 낱알식별), 29 columns as published, UTF-8 CSV (gzip allowed)."""

import re
from collections.abc import Iterable
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

from index.importers.rows import (
    MAX_REJECTED_SHARE,
    Catalog,
    Imprint,
    ItemRow,
    Rejection,
    Source,
    gather,
    millimetres,
    one_line,
    parse,
)
from index.vocabulary import Translator, translator
from pipeline.imprint_text import normalise

ID: Final = "kr-mfds"
COLUMNS: Final = (
    "품목일련번호", "품목명", "업소일련번호", "업소명", "성상", "큰제품이미지", "표시앞", "표시뒤", "의약품제형",
    "색상앞", "색상뒤", "분할선앞", "분할선뒤", "크기장축", "크기단축", "크기두께", "이미지생성일자(약학정보원)",
    "분류번호", "분류명", "전문일반구분", "품목허가일자", "제형코드명", "표기내용앞", "표기내용뒤", "표기이미지앞",
    "표기이미지뒤", "표기코드앞", "표기코드뒤", "변경일자",
)  # fmt: skip

MARK: Final = "마크"
"""Stands in an imprint where a logo is; the columns 표기내용* say which letters the logo looks like."""

MAX_LOGO_READINGS: Final = 6


def _side_readings(imprint: str, logo: str) -> list[str]:
    """What may be read on one side: the imprint as stated, then with its logo spelled as each word it looks like.

    `logo`: "mR,m,w,ω" - words divided by commas; those without Latin letters or digits ("petal") cannot be read.
    """
    readings = {normalise(imprint): imprint}
    for word in logo.split(","):
        if any(letter.isascii() for token in normalise(word) for letter in token):
            spelled = imprint.replace(MARK, f" {word} ", 1) if MARK in imprint else f"{imprint} {word}"
            readings.setdefault(normalise(spelled), one_line(spelled) or "")
    return list(readings.values())[: 1 + MAX_LOGO_READINGS]


def _imprints(cells: dict[str, str]) -> list[Imprint]:
    """The pair as stated first, then the pairs with logos spelled out."""
    fronts = _side_readings(one_line(cells["표시앞"]) or "", cells["표기내용앞"])
    backs = _side_readings(one_line(cells["표시뒤"]) or "", cells["표기내용뒤"])
    stated = Imprint(front=fronts[0], back=backs[0])
    spelled_front, spelled_back = fronts[-1] if len(fronts) == 1 else fronts[1], backs[-1 if len(backs) == 1 else 1]
    pairs = zip_longest(fronts[1:], backs[1:])
    return [stated, *(Imprint(front=f or spelled_front, back=b or spelled_back) for f, b in pairs)]


def _row(cells: dict[str, str], words: Translator) -> ItemRow:
    shapes = words.shapes(cells["의약품제형"])
    form = words.form(cells["제형코드명"])
    if form is None and not cells["제형코드명"].strip():
        form = words.form_from_name(cells["품목명"], shapes[0] if shapes else None)
    return ItemRow(
        key=cells["품목일련번호"],
        name=one_line(cells["품목명"]) or "",
        manufacturer=one_line(cells["업소명"]),
        imprints=tuple(_imprints(cells)),
        imprint_source="catalog",
        shapes=shapes,
        colors_front=words.colors(re.split(r"[,|]", cells["색상앞"])),
        colors_back=words.colors(re.split(r"[,|]", cells["색상뒤"])),
        form=form,
        score_line=words.score_line((cells["분할선앞"], cells["분할선뒤"])) or "none",
        length_mm=millimetres(cells["크기장축"]),
        width_mm=millimetres(cells["크기단축"]),
    )


def _merged(first: ItemRow, other: ItemRow) -> ItemRow:
    """Several rows of one number are several looks of one product: colours and imprints of all of them count."""
    return first.model_copy(
        update={
            "imprints": tuple(dict.fromkeys((*first.imprints, *other.imprints))),
            "colors_front": tuple(dict.fromkeys((*first.colors_front, *other.colors_front))),
            "colors_back": tuple(dict.fromkeys((*first.colors_back, *other.colors_back))),
        }
    )


def load(path: Path, *, max_rejected_share: float = MAX_REJECTED_SHARE) -> Catalog:
    """Read the list. Rows that repeat an item number are merged into its first row.

    Raises:
        ImportRefused: see `read_table` and `gather` in index.importers.rows.
    """
    words = translator(ID)
    newest = ""

    def make(cells: dict[str, str]) -> ItemRow:
        nonlocal newest
        newest = max(newest, cells["변경일자"])
        return _row(cells, words)

    items: dict[str, ItemRow] = {}
    rejections: list[Rejection] = []
    for row in parse(path, COLUMNS, make):
        if isinstance(row, Rejection):
            rejections.append(row)
        else:
            items[row.key] = _merged(items[row.key], row) if row.key in items else row
    parsed: Iterable[ItemRow | Rejection] = chain(rejections, items.values())
    return gather(_source(newest), parsed, words.unknown, max_rejected_share=max_rejected_share)


def _source(newest: str) -> Source:
    """`newest`: largest change date in the list, YYYYMMDD."""
    date = f"{newest[:4]}-{newest[4:6]}-{newest[6:8]}" if re.fullmatch(r"\d{8}", newest) else ""
    return Source(
        id=ID,
        title="Korean MFDS pill identification list",
        attribution=f"Ministry of Food and Drug Safety (MFDS), Republic of Korea: pill identification open data, "
        f"newest change {date or 'unknown'}",
        terms="MFDS open data (data.go.kr / nedrug.mfds.go.kr); name the source. Facts only, no images.",
        date=date,
    )
