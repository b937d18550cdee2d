"""Draw one sheet of a form: its head, the rows to fill in, the control totals, the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter

from gbi.ingest.template.cells import height, put
from gbi.ingest.template.form import IDS, MARK, PERIOD, STATUS, TOTAL, VALUE
from gbi.ingest.template.guards import FRACTION, Guards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from gbi.ingest.template.form import Column, Form, Shape
    from gbi.ingest.template.prefill import Line

_TITLE, _HELP, _HINT, _BAND, _HEAD, _IDS, _FIRST = 1, 2, 3, 4, 5, 6, 7  # rows
_SPARE = 60  # empty rows behind those that are filled in
_INK, _DARK, _PALE, _LINE, _GREY = "1C1C1C", "1D3C5C", "E3EAF1", "D5D9DE", "6B7280"
_WHITE, _INPUT, _FIXED, _MACHINE = "FFFFFF", "FFFBEA", "F0F1F3", "9AA0A6"
_WHOLE = "#,##0"
_PAGE_WIDTH = 270  # characters that stay legible side by side on a sheet of A3


@dataclass(frozen=True, slots=True)
class _Place:
    """A column and where it stands; ``last`` for the one that shows last year's values of it."""

    column: Column
    number: int
    last: bool = False

    @property
    def letter(self) -> str:
        return str(get_column_letter(self.number))

    @property
    def computed(self) -> bool:
        """Whether the column is shown and never read."""
        return self.last or bool(self.column.parts)

    @property
    def of_values(self) -> bool:
        return self.column.field.name == VALUE

    @property
    def name(self) -> str:
        """The machine name."""
        return "+".join(["#LAST", *self.column.id.split("+")[1:]]) if self.last else self.column.id


class FormSheet:
    """One sheet to fill in.

    Parameters
    ----------
    form, shape
        What it asks for.
    filled
        The rows that are filled in.
    sheet
        The empty worksheet.
    """

    def __init__(self, form: Form, shape: Shape, filled: Sequence[Line], sheet: Worksheet) -> None:
        self.form, self.shape, self.filled, self.sheet = form, shape, filled, sheet
        self.rtl = form.lang == "ar"
        self.places = list(self._places())
        self.end = _FIRST + len(filled) + _SPARE - 1
        letters = {p.column.id: p.letter for p in self.places if not p.last}
        self.guards = Guards(form, letters, _FIRST, self.end)

    def _places(self) -> Iterator[_Place]:
        """Give the columns from left to right, last year's values behind this year's."""
        columns = self.form.columns(self.shape)
        behind = max((n for n, c in enumerate(columns, 1) if c.field.name == VALUE), default=0)
        shown = {name for line in self.filled for name in line.last}
        last = [c for c in columns if c.id in shown]
        placed = [(c, False) for c in columns]
        placed[behind:behind] = [(c, True) for c in last]
        for number, (column, old) in enumerate(placed, start=2):
            yield _Place(column, number, old)

    def draw(self) -> None:
        """Write everything."""
        shape = self.shape if len(self.form.shapes) > 1 else "spread"
        self.sheet.title = self.form.say(f"sheets.{shape}")
        self._head()
        for row in range(_FIRST, self.end + 1):
            self._row(row)
        for row, line in enumerate(self.filled, start=_FIRST):
            self._fill(row, line)
        self._foot()
        for place in self.places:
            self._guard(place)
        self._page()

    def _head(self) -> None:
        form, sheet = self.form, self.sheet
        name = form.title
        help_of = self.shape if VALUE in form.schema.columns else "record"
        hint = form.say(f"hints.{self.shape}", other=form.say("sheets.long"))
        self._say(
            _TITLE, form.say("title", table=name, year=form.year), _font(16, _DARK, bold=True)
        )
        self._say(_HELP, form.say(f"instructions.{help_of}"), _font())
        self._say(_HINT, hint, _font(color=_GREY))
        self._mark(_TITLE, f"{MARK}:{self.shape}")
        self._mark(_IDS, IDS)
        self._bands()
        for place in self.places:
            self._heading(place)
            sheet.column_dimensions[place.letter].width = self._width(place)
        written = [(str(sheet.cell(_HEAD, p.number).value), self._width(p) * 0.85)
                   for p in self.places]  # fmt: skip
        sheet.row_dimensions[_HEAD].height = height(written) + 4
        sheet.row_dimensions[_TITLE].height = 26
        sheet.row_dimensions[_IDS].hidden = True
        sheet.column_dimensions["A"].hidden = True

    def _say(self, row: int, words: str, font: Font) -> None:
        cell = put(self.sheet, row, 2, words)
        cell.font, cell.alignment = font, self._aligned(vertical="center", wrap=False)

    def _mark(self, row: int, mark: str) -> None:
        put(self.sheet, row, 1, mark).font = _font(8, _MACHINE)

    def _aligned(self, *, vertical: str = "top", wrap: bool = True) -> Alignment:
        return Alignment(
            horizontal="right" if self.rtl else "left", vertical=vertical, wrap_text=wrap,
            indent=1 if wrap else 0, readingOrder=2 if self.rtl else 1,
        )  # fmt: skip

    def _bands(self) -> None:
        """Name the groups of columns: what a row is about, its values, the details."""
        if self.form.schema.kind == "record":
            return
        seen: list[str] = []
        for place in self.places:
            band = "values" if place.of_values else "more" if "values" in seen else "about"
            cell = self.sheet.cell(_BAND, place.number)
            if band not in seen:
                seen.append(band)
                put(self.sheet, _BAND, place.number, self.form.say(f"bands.{band}"))
                cell.border = Border(left=Side("thin", color=_WHITE))
            cell.font, cell.fill = _font(color=_DARK, bold=True), _fill(_PALE)
            cell.alignment = self._aligned(vertical="center", wrap=False)

    def _heading(self, place: _Place) -> None:
        cell = put(self.sheet, _HEAD, place.number, self._named(place))
        cell.font = _font(color=_INK if place.computed else _WHITE, bold=True)
        cell.fill = _fill(_LINE if place.computed else _DARK)
        cell.alignment = self._aligned(vertical="center")
        cell.border = Border(left=Side("thin", color=_WHITE), right=Side("thin", color=_WHITE))
        put(self.sheet, _IDS, place.number, place.name).font = _font(8, _MACHINE)

    def _named(self, place: _Place) -> str:
        """Return a heading: the column's label, and whether or how it may stay empty."""
        column, form = place.column, self.form
        if place.last:
            return form.say("last", column=column.label)
        if column.parts:
            return form.say("sum", column=column.label)
        blank = form.blank(column.field)
        if blank is not None:
            shown = dict(form.lists.get(column.list or "", ())).get(blank, blank)
            return f"{column.label}\n{form.say('blank', meaning=shown)}"
        starred = column.field.required and column.id != STATUS
        return f"{column.label} *" if starred else column.label

    def _width(self, place: _Place) -> float:
        column = place.column
        if place.of_values:
            return 17
        if column.list is not None:
            longest = max((len(shown) for _, shown in self.form.lists[column.list]), default=0)
            return min(max(longest + 4, 14), 30)
        if column.field.type != "string" or column.id == PERIOD:
            return 14
        return 28 if column.field.role in ("key-label", "label") else 20

    def _row(self, row: int) -> None:
        """Set the look of an input row, and the sums in it."""
        edge = Border(bottom=Side("thin", color=_LINE), left=Side("thin", color=_LINE))
        for place in self.places:
            cell, column = self.sheet.cell(row, place.number), place.column
            number = column.field.type != "string" and column.list is None
            cell.font = _font(color=_GREY if place.computed else _INK)
            cell.fill, cell.border = _fill(_FIXED if place.computed else _INPUT), edge
            cell.number_format = _WHOLE if number else "@"
            cell.alignment = Alignment(vertical="top") if number else self._aligned()
            # A sum may be typed over: it turns red where it is none.
            cell.protection = Protection(locked=place.last)
            if column.parts and not place.last:
                cell.value = self.guards.sum(column, row)

    def _fill(self, row: int, line: Line) -> None:
        texts = []
        for place in self.places:
            known = line.last if place.last else line.about
            value = known.get(place.column.id)
            if value is None:
                continue
            cell = put(self.sheet, row, place.number, value)
            if isinstance(value, str):
                texts.append((value, self._width(place)))
            elif value != int(value):
                cell.number_format = FRACTION
        self.sheet.row_dimensions[row].height = height(texts)

    def _foot(self) -> None:
        """Write the control totals under the rows."""
        values = [p for p in self.places if p.of_values]
        if not values:
            return
        row = self.end + 1
        self._mark(row, TOTAL)
        put(self.sheet, row, 2, self.form.say("total"))
        for place in self.places:
            cell = self.sheet.cell(row, place.number)
            cell.font, cell.fill = _font(bold=True), _fill(_FIXED)
            cell.border, cell.number_format = Border(top=Side("medium", color=_DARK)), _WHOLE
            if place in values:
                cell.value = self.guards.total(place.letter)
        self.sheet.cell(row, 2).alignment = self._aligned()

    def _guard(self, place: _Place) -> None:
        """Set what a column's cells take, and what shows while they are filled in."""
        if place.of_values:
            for area, rule in self.guards.looks(place.column, place.letter):
                if not (place.last and place.column.parts):
                    self.sheet.conditional_formatting.add(area, rule)
        if not place.computed:
            taken = self.guards.entry(place.column, place.letter)
            if taken is not None:
                self.sheet.add_data_validation(taken)

    def _page(self) -> None:
        sheet = self.sheet
        sheet.sheet_view.rightToLeft = self.rtl
        sheet.sheet_view.showGridLines = False
        sheet.freeze_panes = f"C{_FIRST}"
        sheet.protection.sheet = True
        for allowed in ("formatColumns", "formatRows", "insertRows"):
            setattr(sheet.protection, allowed, False)  # False is: not protected against
        sheet.sheet_properties.tabColor = _DARK
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
        width = sum(self._width(p) for p in self.places)
        sheet.page_setup.fitToWidth = max(1, round(width / _PAGE_WIDTH))
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = f"{_BAND}:{_HEAD}"
        sheet.print_area = f"B1:{self.places[-1].letter}{sheet.max_row}"
        for side in ("left", "right", "top", "bottom"):
            setattr(sheet.page_margins, side, 0.4)
        sheet.oddFooter.center.text = "&P / &N"


def _font(size: float = 10, color: str = _INK, *, bold: bool = False) -> Font:
    return Font(name="Calibri", size=size, bold=bold, color=color)


def _fill(color: str) -> PatternFill:
    return PatternFill("solid", fgColor=color)
