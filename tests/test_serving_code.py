"""What the code that serves must not contain: unpickling, torch, SQL put together from text."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SERVING = sorted(
    [
        ROOT / "service.py",
        *(path for part in ("api", "index", "pipeline", "runners") for path in (ROOT / part).rglob("*.py")),
    ]
)
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "torch"}


def forbidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (f"import {n.name}" for n in names if n.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in FORBIDDEN_MODULES:
                yield f"from {module} import"
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=value)) if value is not False:
                yield "allow_pickle"
            case ast.Call(func=ast.Name(id="eval" | "exec" as name)):
                yield name
            case ast.Call(func=ast.Attribute(attr="execute" | "executemany" | "executescript"), args=[statement, *_]):
                if any(
                    part.format_spec is None for part in ast.walk(statement) if isinstance(part, ast.FormattedValue)
                ):
                    yield "SQL with a value in its text"
                if isinstance(statement, ast.BinOp | ast.Call):
                    yield "SQL put together"


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from torch import nn",
        "numpy.load(f, allow_pickle=True)",
        "eval(x)",
        "db.execute(f'SELECT {x}')",
        "db.execute('SELECT ' + x)",
        "db.execute('SELECT {}'.format(x))",
    ],
)
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert list(forbidden(ast.parse(code)))


@pytest.mark.parametrize("path", SERVING, ids=lambda path: str(path.relative_to(ROOT)))
def test_serving_code_is_free_of_it(path: Path) -> None:
    assert list(forbidden(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_the_files_that_the_code_reads_beside_itself_are_in_the_bento_and_in_the_package():
    included = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))["include"]
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    files = [path for path in (ROOT / "pipeline" / "data").iterdir() if path.is_file()]
    assert files
    for path in files:
        assert any(path.match(str(ROOT / pattern)) for pattern in included), path.name
        assert any(path.match(f"pipeline/{pattern}") for pattern in packaged["pipeline"]), path.name
