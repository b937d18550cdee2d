"""What a form computes and checks while it is filled in: sums, totals, what a cell takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.worksheet.datavalidation import DataValidation

from gbi.ingest.template.form import REASONS, VALUE, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.ingest.template.form import Column, Form

FRACTION = "#,##0.0#########"
_RED = "B3261E"
# Columns that must say the same in all rows before their values are added.
_SAME = ("UNIT_MEASURE", "UNIT_MULT", "MEASURE_KIND")


@dataclass(frozen=True, slots=True)
class Guards:
    """The formulas of one sheet.

    Attributes
    ----------
    form
        The form.
    letters
        Column → its letters on the sheet.
    first, last
        The input rows.
    """

    form: Form
    letters: Mapping[str, str]
    first: int
    last: int

    def sum(self, column: Column, row: int) -> str:
        """Return the formula of a sum: nothing unless every part is there."""
        parts = self._parts(column, row)
        complete = f"COUNT({parts})={len(column.parts)}"
        return f'=IF(AND({complete},{self._adds_up(row)}),SUM({parts}),"")'

    def total(self, letter: str) -> str:
        """Return the formula of a control total: nothing where units differ or don't add up."""
        tests = []
        for name in _SAME:
            if name not in self.letters:
                continue
            area = self._area(self.letters[name])
            tests.append(f'SUMPRODUCT(({area}<>"")/COUNTIF({area},{area}&""))<1.5')
            if name in rules()["additive"]:
                tests.append(f'SUMPRODUCT(({area}<>"")*(COUNTIF(ADD_{name},{area})=0))=0')
        values = self._area(letter)
        return f'=IF(AND(COUNT({values})>0,{",".join(tests)}),SUM({values}),"")'

    def looks(self, column: Column, letter: str) -> list[tuple[str, Rule]]:
        """Return the conditional formats of a column of values, with their areas.

        A total that was typed over its formula is red where it isn't the sum of its parts; a
        number that isn't whole shows its decimals.
        """
        cell, found = f"{letter}{self.first}", []
        if column.parts:
            off = f"ABS({cell}-SUM({self._parts(column, self.first)}))>0.0000001*MAX(1,ABS({cell}))"
            red = DifferentialStyle(
                font=Font(bold=True, color="FFFFFF"), fill=PatternFill(bgColor=_RED),
                numFmt=NumberFormat(201, '"Σ ≠ "General'),
            )  # fmt: skip
            wrong = f"AND(ISNUMBER({cell}),{self._adds_up(self.first)},{off})"
            found.append((f"{cell}:{letter}{self.last}", _when(wrong, red)))
        decimals = DifferentialStyle(numFmt=NumberFormat(202, FRACTION))
        part = f"AND(ISNUMBER({cell}),{cell}<>INT({cell}))"
        return [*found, (f"{cell}:{letter}{self.last + 1}", _when(part, decimals))]

    def entry(self, column: Column, letter: str) -> DataValidation | None:
        """Return what a column's cells take; None where any text is right."""
        cell, said = f"{letter}{self.first}", "number"
        if column.field.name == VALUE:
            said = "value"
            rule = DataValidation("custom", f"OR(ISNUMBER({cell}),COUNTIF({REASONS},{cell})>0)")
        elif column.list is not None:
            said = "list"
            rule = DataValidation("list", column.list)
        elif column.field.type != "string":
            rule = DataValidation("custom", f"ISNUMBER({cell})")
        else:
            return None
        comma = "، " if self.form.lang == "ar" else ", "
        words = comma.join(shown for _, shown in self.form.reasons)
        message = self.form.say(f"prompts.{said}", words=words)
        if said == "value":
            rule.prompt, rule.showInputMessage = message, True
        rule.error, rule.errorTitle = message, self.form.say("refused")
        rule.allow_blank, rule.showErrorMessage = True, True
        rule.add(f"{cell}:{letter}{self.last}")
        return rule

    def _parts(self, column: Column, row: int) -> str:
        return ",".join(f"{self.letters[part]}{row}" for part in column.parts)

    def _area(self, letter: str) -> str:
        return f"{letter}${self.first}:{letter}${self.last}"

    def _adds_up(self, row: int) -> str:
        """Return the condition that a row's values are counts or amounts, not rates."""
        known = [name for name in rules()["additive"] if name in self.letters]
        cells = {name: f"{self.letters[name]}{row}" for name in known}
        tests = (f'OR({at}="",COUNTIF(ADD_{name},{at})>0)' for name, at in cells.items())
        return f"AND({','.join(tests)})"


def _when(formula: str, look: DifferentialStyle) -> Rule:
    return Rule(type="expression", dxf=look, formula=[formula])
