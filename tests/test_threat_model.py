"""The threat model names tests that exist, and at least one for every threat."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def exists(file: str, name: str) -> bool:
    path = TESTS / file
    if not path.is_file():
        return False
    found = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if hasattr(node, "body")]
    return any(getattr(node, "name", "") == name for node in found)


def test_the_check_finds_what_is_not_there() -> None:
    assert exists("test_threat_model.py", "test_the_check_finds_what_is_not_there")
    assert not exists("test_threat_model.py", "test_nothing")
    assert not exists("test_nothing.py", "test_nothing")


def test_the_threats_are_counted_through() -> None:
    assert [row[0] for row in ROWS] == [f"| {number}" for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 19


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip("| ") for row in ROWS])
def test_every_threat_has_a_control_and_tests_that_exist(row: list[str]) -> None:
    _, threat, control, tests = row
    assert min(len(threat), len(control)) > 10
    named = NAMED.findall(tests)
    assert named
    assert [f"{file}::{name}" for file, name in named if not exists(file, name)] == []
    assert not re.sub(NAMED, "", tests).count("test_")  # none that the check would not see
