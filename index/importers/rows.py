"""What every importer yields, and the careful reading of table files that they share."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from index.errors import ImportRefused
from index.vocabulary import Kind
from pipeline.vocabulary import COLORS, FORMS, SCORE_LINES, SHAPES

MAX_TABLE_BYTES: Final = 200_000_000
"""Largest table read, unpacked: a small archive must not fill the memory."""

MAX_REJECTED_SHARE: Final = 0.01
"""More unusable rows than this and the file is taken for broken."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[Line, StringConstraints(max_length=500)]
Key = Annotated[Line, StringConstraints(max_length=80)]


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise ValueError("a photo is named by a path inside the photo folder")
    return name


FileName = Annotated[Line, StringConstraints(max_length=200), AfterValidator(_inside)]
MAX_MM: Final = 150.0
Millimetres = Annotated[float, Field(gt=0.0, le=MAX_MM)]


class Imprint(BaseModel):
    """What one row says is on the pill, per side, in the source's words. None = not stated, "" = nothing on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    front: Annotated[str, StringConstraints(max_length=200)] | None = None
    back: Annotated[str, StringConstraints(max_length=200)] | None = None


class Photo(BaseModel):
    """A reference photo. `file`: path inside the source's photo folder.

    `layout`: "isolated" = one side on pure black; "pair" = both sides of one pill beside each other, anywhere;
    "single" = one side, anywhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: FileName
    layout: Literal["isolated", "pair", "single"]
    side: Literal["front", "back"] | None = None


class ItemRow(BaseModel):
    """One item as a source states it, in our words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    name: Text
    manufacturer: Text | None = None
    ingredient: Text | None = None
    imprints: tuple[Imprint, ...] = ()  # several = the source gives several versions; the first one is shown
    imprint_source: Literal["catalog", "twin", "read"] | None = None
    sides_known: bool = True
    shapes: tuple[str, ...] = ()  # all that the source's word may mean, most frequent first
    colors_front: tuple[str, ...] = ()
    colors_back: tuple[str, ...] = ()
    form: str | None = None
    score_line: str | None = None
    length_mm: Millimetres | None = None
    width_mm: Millimetres | None = None
    appearance: str | None = None  # equal for items that show the same photo
    photos: tuple[Photo, ...] = ()

    @model_validator(mode="after")
    def _only_our_words(self) -> Self:
        for name, words, known in (
            ("shape", self.shapes, SHAPES),
            ("colour", (*self.colors_front, *self.colors_back), COLORS),
            ("form", (self.form,) if self.form else (), FORMS),
            ("score line", (self.score_line,) if self.score_line else (), SCORE_LINES),
        ):
            strange = set(words) - set(known)
            if strange:
                raise ValueError(f"{name}: not in the vocabulary: {sorted(strange)}")
        if bool(self.imprints) != (self.imprint_source is not None):
            raise ValueError("an imprint needs its source, and a source its imprint")
        return self


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot be used. `line`: line number in the file, the header being line 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """Whose facts these are. `date`: ISO date of the newest fact, as far as it is known."""

    id: str
    title: str
    attribution: str
    terms: str
    date: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """One imported source: its items, and what was wrong with the file."""

    source: Source
    items: list[ItemRow]
    rejections: list[Rejection]
    unknown_words: Counter[tuple[Kind, str]] = field(default_factory=Counter)


def one_line(text: str) -> str | None:
    """`text` with its white space collapsed to single spaces; None when nothing is left."""
    return " ".join(text.split()) or None


def millimetres(text: str) -> float | None:
    """A positive length in mm; None for anything else, such as an empty cell or a 0."""
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value, 2) if 0.0 < value <= MAX_MM else None


def reason(error: ValidationError) -> str:
    """One line for a person: which field, what is wrong with it."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'row'}: {e['msg']}" for e in error.errors())


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Rows of a CSV file (or a gzipped one) with their line numbers; None for a row with another number of cells.

    Raises:
        ImportRefused: not UTF-8, not CSV, too large, or its header is not `columns`.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            data = stream.read(MAX_TABLE_BYTES + 1)
        if len(data) > MAX_TABLE_BYTES:
            raise ImportRefused(f"{path.name}: more than {MAX_TABLE_BYTES // 1_000_000} MB")
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = next(rows, [])
        if tuple(header) != columns:
            missing = [name for name in columns if name not in header]
            raise ImportRefused(f"{path.name}: expected {len(columns)} columns {columns}; missing: {missing or 'none'}")
        for row in rows:
            if row:
                yield rows.line_num, dict(zip(columns, row, strict=True)) if len(row) == len(columns) else None
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise ImportRefused(f"{path.name}: cannot be read ({type(error).__name__})") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{path.name}: not UTF-8 at byte {error.start}") from error
    except csv.Error as error:
        raise ImportRefused(f"{path.name}: not CSV near line {rows.line_num}: {error}") from error


def parse(
    path: Path, columns: tuple[str, ...], make: Callable[[dict[str, str]], ItemRow]
) -> Iterator[ItemRow | Rejection]:
    """`make` applied to every row of a table; a row it cannot make anything of becomes a rejection."""
    for line, cells in read_table(path, columns):
        if cells is None:
            yield Rejection(line, f"not {len(columns)} cells")
            continue
        try:
            yield make(cells)
        except ValidationError as error:
            yield Rejection(line, reason(error))


def gather(
    source: Source,
    parsed: Iterable[ItemRow | Rejection],
    unknown_words: Counter[tuple[Kind, str]],
    *,
    max_rejected_share: float = MAX_REJECTED_SHARE,
) -> Catalog:
    """Read an importer to its end.

    Raises:
        ImportRefused: no usable row, a repeated key, or more than `max_rejected_share` of the rows unusable.
    """
    items: list[ItemRow] = []
    rejections: list[Rejection] = []
    for row in parsed:
        if isinstance(row, Rejection):
            rejections.append(row)
        else:
            items.append(row)
    repeated = [key for key, count in Counter(item.key for item in items).items() if count > 1]
    if repeated:
        raise ImportRefused(f"{source.id}: {len(repeated)} keys occur more than once, e.g. {repeated[0]}")
    if not items:
        raise ImportRefused(f"{source.id}: no usable row" + (f" ({rejections[0].reason})" if rejections else ""))
    share = len(rejections) / (len(items) + len(rejections))
    if share > max_rejected_share:
        first = rejections[0]
        raise ImportRefused(
            f"{source.id}: {len(rejections)} rows unusable ({share:.1%} > {max_rejected_share:.1%}), "
            f"the first on line {first.line}: {first.reason}"
        )
    return Catalog(source, items, rejections, unknown_words)
