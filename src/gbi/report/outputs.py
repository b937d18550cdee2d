"""The files of a validation report: every format by its name, written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.report import findings_table, junit, sarif
from gbi.report.validation_page import validation_page
from gbi.report.validation_text import validation_summary
from gbi.report.workbook import findings_workbook
from gbi.results import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gbi.validation import ValidationReport

    Render = Callable[[ValidationReport, str | None], str | bytes]

# Format → name of its file and what makes it.
FORMATS: dict[str, tuple[str, Render]] = {
    "text": ("validation.txt", lambda r, lang: validation_summary(r, lang=lang) + "\n"),
    "json": ("validation.json", lambda r, lang: str(r.to_json())),
    "html": ("validation.html", lambda r, lang: validation_page(r, lang=lang)),
    "xlsx": ("findings.xlsx", lambda r, lang: findings_workbook(r, lang=lang)),
    "junit": ("validation.junit.xml", lambda r, lang: junit.junit_xml(r, lang=lang)),
    "sarif": ("validation.sarif", lambda r, lang: sarif.sarif_json(r, lang=lang)),
    "csv": ("findings.csv", lambda r, lang: "\ufeff" + findings_table.csv_text(r)),
    "parquet": ("findings.parquet", lambda r, lang: findings_table.parquet_bytes(r)),
    "ndjson": ("findings.ndjson", lambda r, lang: findings_table.ndjson_text(r)),
}


def render_report(report: ValidationReport, form: str, *, lang: str | None = None) -> str | bytes:
    """Return a report in a format.

    Parameters
    ----------
    report
        The validation report.
    form
        ``text``, ``json``, ``html``, ``xlsx``, ``junit``, ``sarif``, ``csv``, ``parquet`` or
        ``ndjson``.
    lang
        The language of what a person reads.

    Raises
    ------
    GbiError
        ``GBI-E089`` for another format.
    """
    if form not in FORMATS:
        raise GbiError("GBI-E089", expected=", ".join(FORMATS), got=form)
    return FORMATS[form][1](report, lang)


def write_report(
    report: ValidationReport, out: Path, formats: Sequence[str], lang: str | None = None
) -> list[Path]:
    """Write a report in several formats into a folder and return the files, in that order.

    All are made before the first one is written. A CSV file begins with a byte-order mark, so that
    Excel shows Arabic and accents.

    Raises
    ------
    GbiError
        ``GBI-E089`` for a word that is no format.
    """
    made = {form: render_report(report, form, lang=lang) for form in formats}
    return [write_atomically(out / FORMATS[form][0], content) for form, content in made.items()]
