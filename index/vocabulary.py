"""Words of each source, translated into those of `pipeline.vocabulary` by the table in `configs/vocabulary.yaml`."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.vocabulary import COLORS, FORMS, SCORE_LINES, SHAPES

TABLE: Final = Path(__file__).parents[1] / "configs" / "vocabulary.yaml"

Kind = Literal["colors", "shapes", "forms", "score_lines"]

WORDS: Final[dict[Kind, tuple[str, ...]]] = {
    "colors": COLORS,
    "shapes": SHAPES,
    "forms": FORMS,
    "score_lines": SCORE_LINES,
}


def canonical(word: str) -> str:
    """One spelling per word: NFKC, upper case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", word).upper().split())


class NameRule(BaseModel):
    """A form read from a product name: any of `contains` occurs in it and the pill has one of `shapes` (if given)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contains: tuple[str, ...] = Field(min_length=1)
    form: str
    shapes: tuple[str, ...] = ()

    @field_validator("contains")
    @classmethod
    def _canonical(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(canonical(word) for word in value)

    def applies(self, name: str, shape: str | None) -> bool:
        """`name`: canonical product name; `shape`: in our words."""
        if self.shapes and shape not in self.shapes:
            return False
        return any(word in name for word in self.contains)


class SourceWords(BaseModel):
    """The words of one source. Values are tuples of our words, most frequent first; () = no word of ours fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    colors: dict[str, tuple[str, ...]]
    shapes: dict[str, tuple[str, ...]]
    forms: dict[str, tuple[str, ...]]
    score_lines: dict[str, tuple[str, ...]]
    form_in_name: tuple[NameRule, ...]

    @field_validator("colors", "shapes", "forms", "score_lines", mode="before")
    @classmethod
    def _as_tuples(cls, table: object) -> object:
        if not isinstance(table, dict):
            return table
        return {
            canonical(str(word)): () if ours is None else (ours,) if isinstance(ours, str) else tuple(ours)
            for word, ours in table.items()
        }

    @model_validator(mode="after")
    def _only_our_words(self) -> Self:
        for kind, known in WORDS.items():
            table: dict[str, tuple[str, ...]] = getattr(self, kind)
            strange = {ours for values in table.values() for ours in values} - set(known)
            if strange:
                raise ValueError(f"{kind}: not in the vocabulary: {sorted(strange)}")
            if kind != "shapes" and any(len(values) > 1 for values in table.values()):
                raise ValueError(f"{kind}: only a shape may stand for several words")
        rules = self.form_in_name
        strange = {rule.form for rule in rules} - set(FORMS) | {s for rule in rules for s in rule.shapes} - set(SHAPES)
        if strange:
            raise ValueError(f"form_in_name: not in the vocabulary: {sorted(strange)}")
        return self


class Translator:
    """Translates the words of one source and counts those it does not know, in `unknown`."""

    def __init__(self, words: SourceWords) -> None:
        self._words = words
        self.unknown: Counter[tuple[Kind, str]] = Counter()

    def _look_up(self, kind: Kind, word: str) -> tuple[str, ...]:
        key = canonical(word)
        if not key:
            return ()
        table: dict[str, tuple[str, ...]] = getattr(self._words, kind)
        if key not in table:
            self.unknown[kind, key] += 1
            return ()
        return table[key]

    def colors(self, words: Iterable[str]) -> tuple[str, ...]:
        """Our colours for the source's, each once, in their order."""
        return tuple(dict.fromkeys(ours for word in words for ours in self._look_up("colors", word)))

    def shapes(self, word: str) -> tuple[str, ...]:
        """Every shape of ours that the word may mean, most frequent first."""
        return self._look_up("shapes", word)

    def form(self, word: str) -> str | None:
        return next(iter(self._look_up("forms", word)), None)

    def form_from_name(self, name: str, shape: str | None) -> str | None:
        """The form that the product's name gives away. `shape`: in our words."""
        name = canonical(name)
        return next((rule.form for rule in self._words.form_in_name if rule.applies(name, shape)), None)

    def score_line(self, words: Iterable[str]) -> str | None:
        """The strongest of several sides' score lines ("cross" over "line" over "none"); None when none is stated."""
        found = [ours for word in words for ours in self._look_up("score_lines", word)]
        return max(found, key=SCORE_LINES.index, default=None)


@cache
def load_vocabulary(table: Path = TABLE) -> dict[str, SourceWords]:
    """The whole table, validated: {source: its words}. Raises pydantic.ValidationError on a word we do not have."""
    raw = yaml.safe_load(table.read_text("utf-8"))
    return {source: SourceWords.model_validate(words) for source, words in raw.items()}


def translator(source: str) -> Translator:
    """A fresh translator for a source: "us-nih", "tw-tfda", "kr-mfds" or "table"."""
    return Translator(load_vocabulary()[source])
