"""The one exception of the package: an error that says what, where and how to mend it."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any


class GbiError(Exception):
    """An error that a user can act on.

    Parameters
    ----------
    code
        ``GBI-Ennn``; title and hint come from ``data/schemas/labels/errors.yaml`` in the user's
        language.
    where
        The place: file, sheet and cell, or parameter.
    expected, got
        What was expected and what was found.
    hint
        How to mend it; replaces the catalogue's hint.
    exit_code
        What a command ends with: 2 usage or missing path, 3 unreadable or unsafe input,
        4 error of the engine.
    **params
        Values for the placeholders of the catalogue's texts.

    Notes
    -----
    Values of microdata never enter an error: logs are read by others than the data's owner.
    """

    def __init__(
        self,
        code: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
        exit_code: int = 2,
        **params: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.where = where
        self.expected = expected
        self.got = got
        self.hint = hint
        self.exit_code = exit_code
        self.params = params

    def message(self, lang: str | None = None) -> str:
        """Return the error as text: title, then place, expected, got and remedy, a line each."""
        from gbi.language import text

        title = text(f"errors.{self.code}.title", lang, **self.params)
        hint = self.hint or text(f"errors.{self.code}.hint", lang, **self.params)
        lines = [f"{self.code}  {title}"]
        for key, value in (
            ("where", self.where),
            ("expected", self.expected),
            ("got", self.got),
            ("hint", hint),
        ):
            if value:
                lines.append(f"  {text(f'errors.labels.{key}', lang)} {value}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the error's parts as plain values."""
        return {
            "code": self.code,
            "where": self.where,
            "expected": self.expected,
            "got": self.got,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }

    def __str__(self) -> str:
        return self.message()


def internal_error(error: Exception) -> GbiError:
    """Say that the program failed, and where; never with the values that it was reading."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "gbi" in Path(f.filename).parts]
    last = (ours or frames)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return GbiError("GBI-E099", where=place, got=type(error).__name__, exit_code=4)
