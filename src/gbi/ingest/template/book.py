"""Put a form's workbook together: the sheets to fill in, the lists, the sheet about itself."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName

from gbi.ingest.grid import Grid, column_letters
from gbi.ingest.template.cells import clean, put, without_clock
from gbi.ingest.template.form import FORMAT, LISTS, META
from gbi.ingest.template.recognition import fingerprint
from gbi.ingest.template.sheet import FormSheet
from gbi.provenance import gbi_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gbi.ingest.template.form import Form, Shape
    from gbi.ingest.template.prefill import Line


def form_workbook(form: Form, filled: Mapping[Shape, Sequence[Line]]) -> bytes:
    """Return the form as an ``.xlsx`` file, the same bytes on every run."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for shape in form.shapes:
        FormSheet(form, shape, filled[shape], book.create_sheet()).draw()
    _lists(book, form)
    _about(book, form)
    book.properties.creator = "gbi"
    name = form.title
    book.properties.title = clean(form.say("title", table=name, year=form.year))
    buffer = BytesIO()
    book.save(buffer)
    return without_clock(buffer.getvalue())


def _lists(book: Workbook, form: Form) -> None:
    """Write each list as codes and what is shown, the second under the list's name."""
    sheet = book.create_sheet(LISTS)
    sheet.sheet_state = "hidden"
    for column, (name, entries) in enumerate(form.lists.items()):
        left = 2 * column + 1
        put(sheet, 1, left, name)
        for row, (code, shown) in enumerate(entries, start=2):
            put(sheet, row, left, code)
            put(sheet, row, left + 1, shown)
        letters = column_letters(left)
        area = f"{LISTS}!${letters}$2:${letters}${max(len(entries) + 1, 2)}"
        book.defined_names[name] = DefinedName(name, attr_text=area)


def _about(book: Workbook, form: Form) -> None:
    """Write what the form is, and the hash by which a change of it shows."""
    units = [c for c in ("UNIT_MEASURE", "UNIT_MULT") if c in form.schema.columns]
    about = {
        "format": FORMAT,
        "table": form.name,
        "schema": f"gbi-table-{form.table}",
        "version": form.schema.version,
        "year": str(form.year),
        "language": form.lang,
        "unit": ", ".join(units),
        "gbi": gbi_version(),
    }
    sheet = book.create_sheet(META)
    sheet.sheet_state = "hidden"
    for row, (key, value) in enumerate(about.items(), start=1):
        put(sheet, row, 1, key)
        put(sheet, row, 2, value)
    grids = [
        Grid("", s.title, [["" if v is None else v for v in row] for row in s.values])
        for s in book.worksheets
    ]
    put(sheet, len(about) + 1, 1, "hash")
    put(sheet, len(about) + 1, 2, fingerprint(grids))
