"""Excel forms made from the tables: what a ministry fills in, and gbi reads back without loss.

Texts from data can't become formulas; sheets are protected without a password (against slips, not
against anybody); the same form has the same bytes on every run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.template.form import Form, forms
from gbi.ingest.template.recognition import (
    entries_only,
    template_changed,
    template_form,
    template_profile,
)
from gbi.language import resolve_language
from gbi.resources import suggest
from gbi.results import write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from gbi.dataset import Dataset

__all__ = [
    "entries_only",
    "require_form",
    "template_changed",
    "template_form",
    "template_profile",
    "write_template",
]


def write_template(
    table: str,
    path: str | Path,
    *,
    year: int,
    lang: str | None = "fr",
    prefill: Dataset | pd.DataFrame | None = None,
) -> Path:
    """Write the Excel form of a table.

    Parameters
    ----------
    table
        One of the tables, for example ``"beneficiaries"`` (not microdata), or ``"territorial"``:
        the budget of a territorial authority.
    path
        Where to write; a file that is there is replaced.
    year
        The year that is asked for: what an empty period stands for.
    lang
        The form's language: ``fr``, ``ar`` (from right to left) or ``en``.
    prefill
        Last year's data: what identifies a row is filled in, moved to the form's year, and its
        value stands in grey beside the empty cell.

    Returns
    -------
    Path
        The file. :func:`gbi.read` reads it without a profile.

    Raises
    ------
    GbiError
        ``GBI-E050`` for a table that has no form, ``GBI-E010`` for another language,
        ``GBI-E030`` if ``prefill`` is a Dataset of another table, ``GBI-E031`` if it is neither
        Dataset nor DataFrame, ``GBI-E060`` if the folder to write to doesn't exist,
        ``GBI-E085`` if the file can't be written.
    """
    # openpyxl is slow to import, and reading a form back doesn't need it
    from gbi.ingest.template.book import form_workbook
    from gbi.ingest.template.prefill import lines

    require_form(table)
    form = Form(table, year, resolve_language(lang))
    target = Path(path)
    _replace(target, form_workbook(form, lines(form, prefill)))
    return target


def require_form(table: str) -> None:
    """Refuse a table that has no form.

    Raises
    ------
    GbiError
        ``GBI-E050`` with the nearest table that has one.
    """
    known = forms()
    if table not in known:
        raise GbiError("GBI-E050", expected=suggest(table, known) or ", ".join(known), got=table)


def _replace(target: Path, content: bytes) -> None:
    """Write a file as a whole or not at all: a broken-off run leaves what was there."""
    if not target.parent.is_dir():
        raise GbiError("GBI-E060", where=str(target.parent), exit_code=2)
    try:
        write_atomically(target, content)
    except OSError as error:  # on Windows: the form is open in Excel
        why = error.strerror or type(error).__name__
        raise GbiError("GBI-E085", where=str(target), got=why, exit_code=2) from None
