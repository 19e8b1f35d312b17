"""Imprint matching: what was read on a pill against every imprint of the catalogues, in a few milliseconds.

A noisy channel. Each side of an item carries some tokens; the reader sees each of them or not, with errors, and
sees things that are not there. For one side of an item the score is the logarithm of

    P(readings | the side carries these tokens) / P(readings | a side drawn at random from the catalogues)

in nats: 0 says nothing, positive speaks for the item. A rare token read well is worth more than a "5"; a strong
reading that the item cannot explain costs; a token that was not read costs little, since the reader misses many.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from pipeline.imprint_confusions import codes, edit_costs, turned_costs
from pipeline.imprint_ctc import PrefixTree, best_chance
from pipeline.imprint_lines import MAX_TOKEN, Phrase, phrases_of
from pipeline.imprint_text import bare, fold, is_blank, normalise, upside_down
from pipeline.imprint_typed import TypedRuns
from pipeline.schemas import Reading

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

MAX_SPAN: Final = 4
"""Neighbouring tokens of a side that may have been read as one ("TEVA 7270" as TEVA7270)."""

MOST_TYPED: Final = 6
"""Words of a typed text that are looked for one by one, the longest: each costs a pass over the whole lexicon."""
NEARLY_ALL: Final = 0.9
"""Agreement from which words typed apart may be one run of letters; below it short tokens agree by chance."""
UPSIDE_DOWN_SHARE: Final = np.float32(0.9)
"""Of the agreement with a typed text turned by half: people mostly hold a pill so that its letters stand upright."""
TYPED_COST: Final = 3.0
"""Nats per letter that a person typed wrongly, look-alikes aside: about one letter in twenty."""
MAX_EDITS: Final = 3
"""Letters read wrongly up to which a token counts as read; in short ones, half of them."""
BELIEF: Final = 0.6
"""How much of the recogniser's log probabilities is believed: its steps are not independent, it is too sure."""
LEAST: Final = -12.0
"""Nats below the best text from which a text was not read."""
TURNED_MOST: Final = 5.0
"""Nats from which no text is taken for one that was read upside down."""
MISS: Final = 0.45
"""How often the reader misses a token altogether (tuning pills: token recall .65)."""
NOISE: Final = (0.0, 0.04, 0.008, 0.003, 0.001, 0.0003)
"""How often one given text of n letters is read that is not on the pill; longer ones: the last."""
DOUBT_AT: Final = (0.4, 0.65, 0.9, 0.97, 1.0)
DOUBT: Final = (4.0, 2.0, 1.0, 0.4, 0.1)
"""How much the noise grows or shrinks with the reader's confidence: steeper than calibrated confidence alone would have
it. A table by it and more noise moved the right pill by a pill or two of the 150 tuning pills, up or down
(benchmarks/results/ocr_variants.md)."""


@dataclass(frozen=True, slots=True)
class ItemImprint:
    """What a catalogue says is on an item.

    `front`, `back`: tokens as `normalise` gives them, () = no letters there, None = the catalogue does not say.
    `front_blank`, `back_blank`: True = known to carry nothing at all (a logo without letters is not blank),
    None = not known. `sides_known`: False = any token may be on either side.
    """

    front: tuple[str, ...] | None
    back: tuple[str, ...] | None
    sides_known: bool = True
    front_blank: bool | None = None
    back_blank: bool | None = None

    @classmethod
    def from_texts(cls, front: str | None, back: str | None, *, sides_known: bool = True) -> "ItemImprint":
        """From the catalogue's own words for each side."""
        return cls(
            front=None if front is None else normalise(front),
            back=None if back is None else normalise(back),
            sides_known=sides_known,
            front_blank=is_blank(front),
            back_blank=is_blank(back),
        )


@dataclass(frozen=True, slots=True)
class ImprintMatch:
    """Evidence of one photographed side, for every entry; columns: it is the entry's front, its back.

    Where the catalogue does not know the sides, both columns are the same. All arrays (n_entries, 2) float32.

    `llr`: log likelihood ratio in nats against a side drawn at random, the one number to rank by.
    `agreement`: [0, 1], share of letters that agree, both ways: 1 = all that was read is there and all was read.
    `strength`: nats >= 0, how surprising the agreement is (rare tokens count more); 0 = nothing agrees.
    `known`: bool, False where the catalogue says nothing about that side (llr is 0 there).
    """

    llr: Float32
    agreement: Float32
    strength: Float32
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Side:
    tokens: tuple[str, ...]  # without points and slashes
    open: bool  # True: some tokens may be on the other side, so that missing one is nothing


class ImprintLexicon:
    """Every imprint of the catalogues, laid out for matching. Entries keep their order.

    Distinct sides (about 15,000 of 68,000) are matched, then handed out to the entries that carry them.
    """

    def __init__(self, entries: Sequence[ItemImprint]) -> None:
        sides: dict[_Side, int] = {}
        self._entry_sides = np.full((len(entries), 2), -1, np.int32)
        for row, entry in enumerate(entries):
            for column, side in enumerate(_sides_of(entry)):
                if side is not None:
                    self._entry_sides[row, column] = sides.setdefault(side, len(sides))
        self.blank = np.array([[_yes(e.front_blank), _yes(e.back_blank)] for e in entries], np.float32).reshape(-1, 2)
        """(n_entries, 2): 1 = that side is known to carry nothing, 0 = known to carry something, NaN = not known."""
        self._lay_out(list(sides))

    def _lay_out(self, sides: list[_Side]) -> None:
        units: dict[str, int] = {}
        span_unit: list[int] = []  # for every (side, run of its tokens): the text
        span_side: list[int] = []
        slot_spans: list[list[int]] = []  # for every (side, token): the runs that contain it
        slot_side: list[int] = []
        slot_letters: list[int] = []
        for number, side in enumerate(sides):
            first_slot = len(slot_spans)
            slot_spans += [[] for _ in side.tokens]
            slot_side += [number] * len(side.tokens)
            slot_letters += [len(token) for token in side.tokens]
            for start, stop in _runs(len(side.tokens)):
                text = "".join(side.tokens[start:stop])[:MAX_TOKEN]
                for slot in range(start, stop):
                    slot_spans[first_slot + slot].append(len(span_unit))
                span_unit.append(units.setdefault(text, len(units)))
                span_side.append(number)

        by_length = sorted(units, key=len)  # so that texts of about one length are one slice
        order = {text: position for position, text in enumerate(by_length)}
        renumber = np.array([order[text] for text in units], np.int32)
        self._units = [fold(text) for text in by_length]
        self._tree = PrefixTree(by_length)
        self._lengths = np.array([len(text) for text in by_length], np.intp)
        self._letters = np.array(by_length, f"U{MAX_TOKEN}").reshape(-1, 1).view(np.uint32).reshape(-1, MAX_TOKEN)
        self._codes = np.ascontiguousarray(codes(self._letters).T)  # (MAX_TOKEN, units): a letter of all is one row
        self._length_starts = np.searchsorted([len(text) for text in by_length], np.arange(MAX_TOKEN + 2))
        spans = renumber[np.array(span_unit, np.int32)] if span_unit else np.zeros(0, np.int32)
        self._n_sides = len(sides)
        self._open = np.array([side.open for side in sides], bool)

        uses = Counter(self._entry_sides.ravel().tolist())
        weight = np.array([uses[number] for number in range(len(sides))], np.float64)
        span_sides = np.array(span_side, np.int32)
        self._prior = np.bincount(spans, weight[span_sides], len(units)) / max(weight.sum(), 1.0)
        by_unit = np.argsort(spans, kind="stable")
        self._unit_sides = span_sides[by_unit]  # sides that carry a unit, unit after unit
        self._unit_starts = np.searchsorted(spans[by_unit], np.arange(len(units) + 1))

        self._slot_side = np.array(slot_side, np.int32)
        self._slot_letters = np.array(slot_letters, np.float32)
        self._slot_span_starts = np.cumsum([0] + [len(s) for s in slot_spans])[:-1].astype(np.int64)
        self._slot_span_unit = spans[np.array([s for slot in slot_spans for s in slot], np.int64)]
        self._side_letters = np.bincount(self._slot_side, self._slot_letters, len(sides)).astype(np.float32)
        self._typed = TypedRuns(
            self._units, np.split(self._unit_sides, self._unit_starts[1:-1]), self._entry_sides, self._side_letters
        )

    def __len__(self) -> int:
        return len(self._entry_sides)

    def score(self, readings: Sequence[Reading]) -> Float32:
        """Agreement of each entry's better side with one photographed side: (n_entries,) in [0, 1]."""
        return np.asarray(self.match(readings).agreement.max(axis=1), np.float32)

    def score_sides(self, readings: Sequence[Reading]) -> Float32:
        """Agreement with each entry's front and back: (n_entries, 2) in [0, 1]."""
        return self.match(readings).agreement

    def match(self, readings: Sequence[Reading]) -> ImprintMatch:
        """Evidence of all readings of one photographed side, for every entry."""
        phrases, n_places = phrases_of(readings)
        llr, agreement, strength = self._match_sides(phrases, n_places)
        known = self._entry_sides >= 0
        at = np.where(known, self._entry_sides, 0)

        def hand_out(per_side: Float32) -> Float32:
            if not len(per_side):
                return np.zeros(known.shape, np.float32)
            return np.where(known, per_side[at], np.float32(0))

        return ImprintMatch(hand_out(llr), hand_out(agreement), hand_out(strength), known)

    def search(self, text: str) -> Float32:
        """Agreement with what a person typed, of either side or both together: (n_entries,) in [0, 1].

        A person types both sides as one text, so that each word may be on another side: each counts by its letters.
        Where the spaces are does not matter when all else agrees. What was read with the pill the other way up counts
        a little less.
        """
        agreement = self._search(text)
        if (turned := upside_down(text)) is not None:
            return np.asarray(np.maximum(agreement, UPSIDE_DOWN_SHARE * self._search(turned)), np.float32)
        return agreement

    def _search(self, text: str) -> Float32:
        """`search` as the text stands."""
        words = normalise(text)
        longest = sorted(set(words), key=lambda word: (-len(word), word))[:MOST_TYPED]
        joined = self._typed.agreement(fold("".join(words)))  # "teva7292" for TEVA and 7292
        if len(longest) < 2:
            return np.maximum(joined, self._search_sides(text))
        apart = np.average([self._search_sides(word) for word in longest], axis=0, weights=[len(w) for w in longest])
        return np.asarray(np.where(joined >= NEARLY_ALL, np.maximum(joined, apart), apart), np.float32)

    def _search_sides(self, text: str) -> Float32:
        """Agreement with what a person typed, of either side or both together: (n_entries,) in [0, 1]."""
        phrases, n_places = _typed(text)
        _, agreement, _ = self._match_sides(phrases, n_places)
        if not len(agreement):
            return np.zeros(len(self), np.float32)
        known = self._entry_sides >= 0
        per_entry = np.where(known, agreement[np.where(known, self._entry_sides, 0)], np.float32(0))
        return np.asarray(per_entry.max(axis=1), np.float32)

    def _match_sides(self, phrases: Sequence[Phrase], n_places: int) -> tuple[Float32, Float32, Float32]:
        """llr, agreement and strength for every distinct side, each (n_sides,)."""
        gains = np.zeros((n_places, self._n_sides), np.float32)  # nats a side gains (or loses) by a place
        floors = np.full(n_places, -np.inf, np.float32)  # the same for a side that does not explain it
        seen = np.zeros(len(self._units), np.float32)  # how likely a text was read, given that it stands there
        likely = self._likely({(phrase.text, phrase.read) for phrase in phrases})
        for phrase in sorted(phrases, key=lambda p: len(p.places)):
            units, likelihood = self._read_as(phrase, *likely[phrase.text, phrase.read])
            noise = NOISE[min(len(phrase.text), len(NOISE) - 1)] * _doubt(phrase.confidence)
            chance = float(self._prior[units] @ likelihood) + noise
            floor = np.float32(np.log(noise / chance))
            row = self._spread(units, np.log((likelihood + noise) / chance).astype(np.float32), floor)
            seen[units] = np.maximum(seen[units], likelihood)
            places = list(phrase.places)
            if len(places) > 1:
                better = np.flatnonzero(row > np.maximum(gains[places].sum(axis=0), 0))
                for place in places:
                    gains[place, better] = row[better] / len(places)
            elif np.isneginf(floors[places[0]]):
                gains[places[0]], floors[places[0]] = row, floor
            else:
                np.maximum(gains[places[0]], row, out=gains[places[0]])
                floors[places[0]] = max(floor, floors[places[0]])

        covered = (
            np.maximum.reduceat(seen[self._slot_span_unit], self._slot_span_starts)
            if len(self._slot_side)
            else np.zeros(0, np.float32)
        )
        missed = np.log(MISS + (1 - MISS) * covered)
        missed_open = np.log((1 + MISS) / 2 + (1 - MISS) / 2 * covered)
        cost = np.bincount(
            self._slot_side, np.where(self._open[self._slot_side], missed_open, missed), self._n_sides
        ).astype(np.float32)
        llr = gains.sum(axis=0) + cost
        strength = np.maximum(gains, 0).sum(axis=0)

        letters = np.bincount(self._slot_side, covered * self._slot_letters, self._n_sides)
        recall = letters / np.maximum(self._side_letters, 1)
        recall = np.where(self._open, np.where(letters > 0, 0.5 + 0.5 * recall, 0), recall)
        explained = (gains > 0).astype(np.float32)
        weights = np.maximum(-floors, 0.1)
        precision = weights @ explained / max(float(weights.sum()), 1e-6) if n_places else np.zeros(self._n_sides)
        agreement = 2 * precision * recall / np.maximum(precision + recall, 1e-6)
        return llr.astype(np.float32), agreement.astype(np.float32), strength.astype(np.float32)

    def _likely(self, texts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Int32, Float32]]:
        """For each text read, folded and as read: the units that may stand there, and how likely they are then read
        as this text."""
        found = {}
        for length, group in groupby(sorted(texts, key=lambda text: len(text[0])), key=lambda text: len(text[0])):
            same_length = list(group)
            allowed = min(MAX_EDITS, length // 2)
            first = int(self._length_starts[max(length - allowed, 0)])
            last = int(self._length_starts[min(length + allowed, MAX_TOKEN) + 1])
            distance = cdist(
                [text for text, _ in same_length], self._units[first:last], scorer=Levenshtein.distance,
                score_cutoff=allowed, dtype=np.uint8,
            )  # fmt: skip
            for (text, read), row in zip(same_length, distance, strict=True):
                near = np.flatnonzero(row <= allowed)
                units = (near + first).astype(np.int32)
                cost = (
                    edit_costs(read, self._letters[units], self._lengths[units], row[near]) if read
                    else TYPED_COST * row[near]
                )  # fmt: skip
                found[text, read] = self._or_turned(read, units, np.exp(-cost).astype(np.float32))
        return found

    def _or_turned(self, read: str, units: Int32, likelihood: Float32) -> tuple[Int32, Float32]:
        """The same with the units that are read as this text when they lie upside down."""
        first, last = self._length_starts[len(read)], self._length_starts[len(read) + 1]
        costs = turned_costs(read, self._codes[: len(read), first:last], most=TURNED_MOST) if read else None
        if costs is None:
            return units, likelihood
        near = np.flatnonzero(costs < TURNED_MOST)
        turned = (near + first).astype(np.int32)
        return _better(units, likelihood, turned, np.exp(-costs[near]).astype(np.float32))

    def _read_as(self, phrase: Phrase, units: Int32, likelihood: Float32) -> tuple[Int32, Float32]:
        """The same with what the recogniser saw letter by letter: each unit counts by the better of both."""
        if not phrase.steps:
            return units, likelihood
        seen, chances = self._tree.log_chances(phrase.steps)
        short = np.minimum(chances - best_chance(phrase.steps), 0)
        likely = short > LEAST
        return _better(units, likelihood, seen[likely], np.exp(BELIEF * short[likely]).astype(np.float32))

    def _spread(self, units: Int32, values: Float32, floor: np.float32) -> Float32:
        """(n_sides,): the best value among the units that a side carries, `floor` where it carries none."""
        ascending = np.argsort(values, kind="stable")
        starts, stops = self._unit_starts[units[ascending]], self._unit_starts[units[ascending] + 1]
        row = np.full(self._n_sides, floor, np.float32)
        sides = [self._unit_sides[start:stop] for start, stop in zip(starts, stops, strict=True)]
        if sides:  # of several values for one side the last, which is the best, stays
            row[np.concatenate(sides)] = np.repeat(values[ascending], stops - starts)
        return row


def _better(units: Int32, values: Float32, others: Int32, their: Float32) -> tuple[Int32, Float32]:
    """The units of two lists, each once, with the better of its values."""
    both, every = np.concatenate([units, others]), np.concatenate([values, their])
    order = np.lexsort((-every, both))
    both, every = both[order], every[order]
    first = np.concatenate([[True], both[1:] != both[:-1]]) if len(both) else np.zeros(0, bool)
    return both[first], every[first]


def _doubt(confidence: float) -> float:
    """How much more often than on average a reading of this confidence, [0, 1], is not on the pill."""
    return float(np.interp(confidence, DOUBT_AT, DOUBT))


def _typed(text: str) -> tuple[list[Phrase], int]:
    """What a person typed, as if read at one place per token, and joined."""
    tokens = [fold(token)[:MAX_TOKEN] for token in normalise(text)]
    phrases = [
        Phrase("".join(tokens[start:stop])[:MAX_TOKEN], 1.0, tuple(range(start, stop)))
        for start, stop in _runs(len(tokens))
    ]
    return phrases, len(tokens)


def _runs(n: int) -> Iterable[tuple[int, int]]:
    """All runs of up to MAX_SPAN neighbours among n tokens, as (start, stop)."""
    return ((start, stop) for start in range(n) for stop in range(start + 1, min(start + MAX_SPAN, n) + 1))


def _sides_of(entry: ItemImprint) -> tuple[_Side | None, _Side | None]:
    if entry.sides_known:
        return _closed(entry.front), _closed(entry.back)
    if entry.front is None and entry.back is None:
        return None, None
    both = _Side(tuple(bare(token) for token in (*(entry.front or ()), *(entry.back or ()))), open=True)
    return both, both


def _closed(tokens: tuple[str, ...] | None) -> _Side | None:
    return None if tokens is None else _Side(tuple(bare(token) for token in tokens), open=False)


def _yes(value: bool | None) -> float:
    return float("nan") if value is None else float(value)
