"""`python -m pipeline.settings_page` writes docs/settings.md from the settings class: one truth, two readers."""

from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.settings import PREFIX, ROOT, Settings

PAGE: Final = ROOT / "docs" / "settings.md"

INTRODUCTION: Final = """\
# Settings

Environment variables of every process of the bundle. All have a default that works on one machine as it is. A variable
with this prefix that is not in the table, or a value that does not fit, stops the start with one line that names it.

<!-- Written by `make docs` from pipeline/settings.py; a test compares the two. -->

| variable | default | takes | what it does |
|---|---|---|---|
"""


def page() -> str:
    """The whole page as Markdown."""
    return INTRODUCTION + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    cells = [f"`{PREFIX}{name.upper()}`", _default(field), _takes(name), " ".join((field.description or "").split())]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "unset"
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT)}`"
    return f"`{value}`"


def _takes(name: str) -> str:
    """The values a setting takes, in words, from its JSON schema."""
    field = Settings.model_json_schema()["properties"][name]
    options: list[dict[str, Any]] = [o for o in field.get("anyOf", [field]) if o.get("type") != "null"]
    (schema,) = options
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("format") == "path":
        return "a path"
    if schema["type"] == "string":
        secret = Settings.model_fields[name].annotation in (SecretStr, SecretStr | None)
        return f"a secret of at least {schema['minLength']} characters" if secret else f"`{schema['pattern']}`"
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    least = f"{schema['minimum']:,} to" if "minimum" in schema else f"above {schema['exclusiveMinimum']:g}, at most"
    return f"{kind}, {least} {schema['maximum']:,g}" if kind == "a number" else f"{kind}, {least} {schema['maximum']:,}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
