"""The table of large indexes: a stopped run goes on where it was, and what was not measured says so."""

from dataclasses import replace

import pytest

from benchmarks.index_scale import HEAD, KINDS, Line, kept_lines, missing, projected

SMALL = Line(25_000, "hnsw", "float16", 32, 0.999, 0.1, 0.2, 20, 3)
LARGE = replace(SMALL, vectors=1_000_000, p50_ms=0.2, p95_ms=0.2, megabytes=800, build_s=300)


def test_a_page_is_read_back_without_what_was_projected() -> None:
    lines = [SMALL, replace(LARGE, method="exact", effort=0)]
    page = "\n".join(["# Index", "", HEAD, *map(str, (*lines, *projected([SMALL, LARGE]))), ""])
    assert "projected" in page
    assert kept_lines(page) == lines


def test_what_is_measured_is_not_measured_again() -> None:
    assert [kind[0] for kind in missing([], 1_000)] == ["exact", "exact", "hnsw"]  # too few for lists
    assert missing([], 25_000) == list(KINDS)
    hnsw = [replace(SMALL, effort=effort) for effort in (32, 64)]
    assert ("hnsw", "float16", (32, 64, 128)) in missing(hnsw, 25_000)
    assert [kind[0] for kind in missing([*hnsw, replace(SMALL, effort=128)], 25_000)] == ["exact", "exact", "ivfpq"]


def test_a_power_goes_on_and_never_down() -> None:
    (line,) = projected([SMALL, LARGE])
    assert (line.vectors, line.recall, line.megabytes) == (10_000_000, None, 8_000)
    assert line.p50_ms == pytest.approx(0.2 * 2**0.6242, rel=1e-3)  # log 10 / log 40
    assert line.p95_ms == line.p50_ms  # of its own power alone it would be less
    assert line.build_s == pytest.approx(300 * 100**0.6242, rel=1e-3)
    assert projected([SMALL]) == []
    linear = [replace(SMALL, p50_ms=1), replace(LARGE, p50_ms=40)]
    assert projected(linear)[0].p50_ms == pytest.approx(400)
    quick = [replace(SMALL, build_s=0), replace(LARGE, build_s=3)]  # rounded to nothing is no power to go on by
    assert projected(quick)[0].build_s < 10
    linear = [SMALL, replace(LARGE, vectors=100_000)]
    assert [line.vectors for line in projected(linear)] == [1_000_000, 10_000_000]
