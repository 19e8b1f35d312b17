"""How importing, building and loading can fail."""

from pathlib import Path

from pipeline.errors import PillscopeError


class ImportRefused(PillscopeError):
    """A source file is not what it claims to be, or too many of its rows are unusable. Nothing was changed."""

    code = "import_refused"


class IndexDamaged(PillscopeError):
    """A file of the index is absent, or differs from what its manifest says.

    Args:
        file: the file at fault.
        what: what is wrong with it.
    """

    code = "index_damaged"

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.file = file
