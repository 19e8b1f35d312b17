"""The saboteur knows whether anybody is still connected past it; a measured row goes into the table it belongs to."""

import socket
from pathlib import Path

from benchmarks.faults import replace_rows
from benchmarks.saboteur import connected


def test_open_connections_are_seen_also_when_the_socket_was_renamed(tmp_path: Path) -> None:
    path = tmp_path / "runner.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert connected(path) == 0
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            accepted, _ = listening.accept()
            path.rename(tmp_path / "elsewhere")
            with accepted:
                assert connected(path) == 1
        assert connected(path) == 0


def test_a_row_measured_anew_replaces_its_own_and_is_told(tmp_path: Path) -> None:
    page, head = tmp_path / "page.md", "| fault | lost |\n|---|---|\n"
    page.write_text(f"# Faults\n\n{head}| kill ocr | 1 |\n| nonsense ocr | 2 |\n")
    for lost in (3, 4):
        replace_rows(page, f"{head}| nonsense ocr | {lost} |", "nonsense ocr")
    text = page.read_text()
    assert f"{head}| kill ocr | 1 |\n| nonsense ocr | 4 |\n\nAnew on " in text
    assert text.count("--only 'nonsense ocr'") == 1
