"""What a cell means: texts to codes, units, periods and numbers, by the column that it fills.

What can't be understood is a finding at its cell; the text stays where a code was expected, and a
number that can't be read is missing, never zero.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gbi.ingest.faults import fault
from gbi.ingest.grid import ERRORS, as_text, position
from gbi.ingest.numbers import DASHES, Number, Unreadable, read_number
from gbi.language import fold
from gbi.resources import suggest
from gbi.schemas.structure import MISSING_ONLY, MISSING_OR_NOT
from gbi.vocabulary import codes, label, match_label, own_codes, read_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.findings import Cell, Finding
    from gbi.ingest.profile import Profile
    from gbi.schemas import Field

_TWO_YEARS = re.compile(r"(\d{4})\s*[/–-]\s*(\d{4}|\d{2})")
_PERIOD = re.compile(r"(?P<year>\d{4})(?:\s*-?\s*(?P<part>[TQSMA])\s*0?(?P<number>\d{1,2}))?")
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")  # ISO; 2011-12 is a year where years are declared
_PARTS = {"T": "Q", "Q": "Q", "S": "S", "M": "M", "A": "A"}  # T: trimestre
_NOT_AVAILABLE, _NORMAL = "O", "A"
_EXPLAINS = frozenset((*MISSING_ONLY, *MISSING_OR_NOT))  # statuses that say why no number is there
AREA, _COUNTRY = "REF_AREA", "MA"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A profile's reading of cells.

    Attributes
    ----------
    profile
        What the file's marks and words mean.
    fields
        The table's columns by name.
    findings
        What was seen, in reading order.
    typed
        Whether the format tells numbers from texts.
    stored_as_text
        Positions of the numbers that are stored as texts all the same.
    without_value
        Positions of formulas without a result on the sheet that is read: a finding of their own.
    """

    profile: Profile
    fields: Mapping[str, Field]
    findings: list[Finding] = field(default_factory=list)
    typed: bool = False
    stored_as_text: list[tuple[int, int]] = field(default_factory=list)
    without_value: set[tuple[int, int]] = field(default_factory=set)

    def describe(
        self,
        column: str,
        written: Any,
        cell: Cell,
        record: Record,
        how: str = "",
        *,
        own: bool = False,
    ) -> None:
        """Put what a cell says into the record's column, and its label beside it.

        ``own`` says that ``written`` is the cell's whole content, not a part or a look-up of it.
        """
        text = as_text(written)
        known = self.profile.maps.get(column)
        if known is not None and fold(text) in known:
            self._mapped(column, text, known[fold(text)], record)
        elif how == "tokens":
            self._tokens(text, cell, record)
        elif column == "UNIT_MEASURE":
            self._unit(text, cell, record)
        elif column == "TIME_PERIOD":
            self._period(text, cell, record)
        elif how == "text" or self.fields[column].codelist is None:
            self._plain(column, written, cell, record, how, own=own)
        else:
            self._code(column, text, cell, record)

    def value(self, written: Any, cell: Cell, record: Record) -> None:
        """Put what a value cell says into ``OBS_VALUE``, its status and decimals."""
        said = record.get("OBS_STATUS")  # by a column of its own
        if said in _EXPLAINS and not as_text(written):
            record["OBS_VALUE"] = math.nan
            return
        number, status = self._number(written, cell, record, own=True)
        if number is None:
            status = said if said is not None and said != _NORMAL else status
            record.update(OBS_VALUE=math.nan, OBS_STATUS=status)
            return
        status = said if said is not None and status == _NORMAL else status
        record.update(OBS_VALUE=number.value, OBS_STATUS=status)
        if record.get("DECIMALS") is None:  # unless a column of the file says them
            record["DECIMALS"] = number.decimals
        unit = record.get("UNIT_MEASURE")
        if number.mark is not None and unit is not None and number.mark != unit:
            self._wrong_mark(as_text(written), unit, cell)

    def _mapped(self, column: str, text: str, stands_for: Any, record: Record) -> None:
        """Put what the profile says that a text stands for: a code, or several columns."""
        if f"{column}_LABEL" in self.fields:
            record[f"{column}_LABEL"] = text or None
        record.update(stands_for if isinstance(stands_for, dict) else {column: stands_for})

    def _plain(
        self, column: str, written: Any, cell: Cell, record: Record, how: str, *, own: bool
    ) -> None:
        """Keep a text (a second one for the same column behind the first), or read a number."""
        text = as_text(written)
        if not text:
            record.setdefault(column, None)
        elif self.fields[column].type == "string":
            before = record.get(column)
            record[column] = f"{before} – {text}" if before else text
        else:
            number, _ = self._number(written, cell, record, own=own)
            value = math.nan if number is None else number.value
            if how == "fraction" and number is not None:
                if number.mark != "PT":
                    self._wrong_mark(text, "PT", cell)
                value /= 100
            if self.fields[column].type == "integer" and not value.is_integer():
                if number is not None:
                    self._fault("GBI-T001", cell, field=column, found=text)
                value = math.nan
            record[column] = value

    def _code(self, column: str, text: str, cell: Cell, record: Record) -> None:
        if f"{column}_LABEL" in self.fields:
            record[f"{column}_LABEL"] = text or None
        if not text:
            record[column] = None
            return
        listed = self.fields[column].codelist or column
        match = match_label(listed, text)
        if match.code is None:
            code = "GBI-C002" if column == AREA else "GBI-C001"
            self._fault(code, cell, field=column, found=text, suggestion=match.suggestion)
            record[column] = text if self.fields[column].type == "string" else None
            return
        official = label(listed, match.code, "fr")
        spelt = match.how == "alias" and fold(official) != fold(text)
        if column == AREA and spelt and match.code in own_codes(AREA) - {_COUNTRY}:
            self._fault("GBI-P009", cell, field=column, found=text, expected=official)
        number = self.fields[column].type == "integer"
        record[column] = int(match.code) if number else match.code

    def _unit(self, text: str, cell: Cell, record: Record) -> None:
        unit = read_unit(text) if text else None
        if unit is not None:
            record.update(UNIT_MEASURE=unit.measure, UNIT_MULT=unit.mult)
            return
        record["UNIT_MEASURE"] = None
        if text:
            known = ", ".join(map(str, codes("CL_UNIT_MEASURE")))
            self._fault("GBI-T003", cell, field="UNIT_MEASURE", found=text, expected=known,
                        suggestion=match_label("CL_UNIT_MEASURE", text).suggestion)  # fmt: skip

    def _period(self, text: str, cell: Cell, record: Record) -> None:
        start = self.profile.year_start
        period = _PERIOD.fullmatch(text.upper())
        years = _TWO_YEARS.fullmatch(text)
        if period is not None:
            part = _PARTS[period["part"]] if period["part"] else ""
            number = int(period["number"] or 0)
            told = f"-{part}{number:02d}" if part == "M" else f"-{part}{number}" if part else ""
            record["TIME_PERIOD"] = f"{period['year']}{told}"
        elif not text:
            record["TIME_PERIOD"] = None
        elif years and start and str(int(years[1]) + 1).endswith(years[2]):
            record.update(TIME_PERIOD=f"{years[1]}-A1", REPORTING_YEAR_START_DAY=start)
        elif not start and _MONTH.fullmatch(text):
            record["TIME_PERIOD"] = text.replace("-", "-M")
        else:
            self._fault("GBI-C001", cell, field="TIME_PERIOD", found=text)
            record["TIME_PERIOD"] = text

    def _tokens(self, text: str, cell: Cell, record: Record) -> None:
        """Read ``sexe=F; milieu=rural``; a dimension that is not named stands for its total."""
        known = self.profile.tokens
        record.update(dict.fromkeys(known.values(), "_T" if text else None))
        for token in filter(None, (t.strip() for t in text.split(";"))):
            name, _, word = (part.strip() for part in token.partition("="))
            if fold(name) == "total" and not word:
                continue
            column = known.get(fold(name))
            match = match_label(column, word) if column is not None and word else None
            if column is not None and match is not None and match.code is not None:
                record[column] = match.code
                continue
            near = suggest(name, list(known)) if match is None else match.suggestion
            self._fault("GBI-C003", cell, field=column or "SEX", found=token, suggestion=near)
            if column is not None:
                record[column] = word

    def _number(
        self, written: Any, cell: Cell, record: Mapping[str, Any], *, own: bool
    ) -> tuple[Number | None, str]:
        """Return a number or None, and the status of the observation."""
        text = as_text(written)
        if fold(text) in self.profile.missing:
            return None, self.profile.missing[fold(text)]
        if text in DASHES:
            return self._dash(text, cell, record)
        if text in ERRORS or (not text and position(cell.a1) in self.without_value):
            return None, _NOT_AVAILABLE  # a finding of its own, from the cell's flag
        read = read_number(written, self.profile.style)
        status = _NORMAL
        if isinstance(read, Unreadable) and self.profile.flags:
            number, marked = self._without_flags(text)
            if marked is not None:
                if fold(number) in self.profile.missing:
                    return None, marked
                read, status = read_number(number, self.profile.style), marked
        if isinstance(read, Number):
            if own and self.typed and isinstance(written, str) and read.mark is None:
                self.stored_as_text.append(position(cell.a1))
            return read, status
        self._unreadable(read, text, cell)
        return None, _NOT_AVAILABLE

    def _without_flags(self, text: str) -> tuple[str, str | None]:
        """Return a number's text without the marks behind it, and the first mark's status."""
        status = None
        marks = sorted(filter(None, self.profile.flags), key=len, reverse=True)
        while mark := next((f for f in marks if text.endswith(f)), None):
            text, status = text.removesuffix(mark).rstrip(), self.profile.flags[mark]
        return text, status

    def _dash(self, text: str, cell: Cell, record: Mapping[str, Any]) -> tuple[Number | None, str]:
        meaning = self.profile.dash_of(record)
        if meaning is None:
            self._fault("GBI-T002", cell, field="OBS_VALUE", found=text)
            return None, _NOT_AVAILABLE
        if "value" in meaning:
            return Number(float(meaning["value"]), 0), str(meaning["status"])
        return None, str(meaning["status"])

    def _unreadable(self, read: Unreadable, text: str, cell: Cell) -> None:
        if read.readings:
            expected = " / ".join(read.readings)
            self._fault("GBI-T004", cell, field="OBS_VALUE", found=text, expected=expected)
        else:
            self._fault("GBI-T001", cell, field="OBS_VALUE", found=text)

    def _wrong_mark(self, text: str, unit: str, cell: Cell) -> None:
        expected = label("CL_UNIT_MEASURE", unit, "fr")
        self._fault("GBI-T003", cell, field="UNIT_MEASURE", found=text, expected=expected)

    def _fault(self, code: str, cell: Cell, **substance: Any) -> None:
        self.findings.append(fault(code, cell, **substance))
