"""What an Excel form asks for, table by table, and the profile by which it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from dataclasses import field as data_field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from gbi.ingest.profile import Profile
from gbi.language import fold, text
from gbi.resources import read_document, resource_path
from gbi.schemas import Field, Schema, schema, tables
from gbi.schemas.structure import MISSING_ONLY
from gbi.vocabulary import codelist, label

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "gbi-form/1"
LISTS, META, REASONS = "_lists", "_meta", "REASONS"
MARK, IDS, TOTAL = "#gbi", "#id", "#total"
VALUE, STATUS, PERIOD = "OBS_VALUE", "OBS_STATUS", "TIME_PERIOD"
NOT_AVAILABLE = "O"

Shape = Literal["spread", "long"]
Entries = list[tuple[str, str]]


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """Return what the forms add to the tables (``data/schemas/templates.yaml``)."""
    return read_document(resource_path("schemas", "templates.yaml"), "template")


def forms() -> list[str]:
    """Return the names of all forms: of the tables, but for microdata, and those of their own."""
    return [*(t for t in tables() if schema(t).kind != "microdata"), *rules()["forms"]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a form.

    Attributes
    ----------
    id
        Its machine name: a column of the table, ``OBS_VALUE+F``, or ``#SUM+T``, which is not read.
    label
        Its name for a reader.
    field
        The table's column that it fills.
    set
        What holds for its values, where a dimension's members stand side by side.
    parts
        The columns that it shows the sum of.
    """

    id: str
    label: str
    field: Field
    set: Mapping[str, str] = data_field(default_factory=dict)
    parts: tuple[str, ...] = ()

    @property
    def is_value(self) -> bool:
        """Whether it takes the observations."""
        return self.field.name == VALUE and not self.parts

    @property
    def list(self) -> str | None:
        """The list that its cells are chosen from."""
        if self.field.codelist is not None:
            return self.field.codelist
        return f"ENUM_{self.field.name}" if self.field.codes else None


@dataclass(frozen=True)
class Form:
    """A form for a year, in a language.

    Attributes
    ----------
    name, year, lang
        As they were asked for: a table's name, or one of ``forms`` in ``templates.yaml``.
    """

    name: str
    year: int
    lang: str

    def say(self, key: str, **params: object) -> str:
        """Return a text of the catalogue ``template`` in the form's language."""
        return text(f"template.{key}", self.lang, **params)

    @cached_property
    def special(self) -> Mapping[str, Any]:
        """What is special about a form that is not simply its table's."""
        known: Mapping[str, Any] = rules()["forms"].get(self.name, {})
        return known

    @property
    def table(self) -> str:
        """The table that it gives."""
        return str(self.special.get("table", self.name))

    @property
    def title(self) -> str:
        """Its name for a reader."""
        labels = self.special.get("labels")
        return self.schema.label(self.lang) if labels is None else str(labels[self.lang])

    @cached_property
    def schema(self) -> Schema:
        """The table."""
        return schema(self.table)

    @cached_property
    def fields(self) -> list[Field]:
        """The table's columns that are asked for, with the lists that are offered."""
        lists, required = self.special.get("lists", {}), self.special.get("required", ())
        heads = self.special.get("heads", {})
        return [
            replace(
                f,
                labels=heads.get(f.name, f.labels),
                default=None if f.name in lists else f.default,
                constraints={**f.constraints, "required": f.required or f.name in required},
            )
            for f in self.schema.fields
            if f.name not in self.special.get("fixed", {}) and not self._filled_by_its_code(f)
        ]

    @cached_property
    def members(self) -> list[Mapping[str, Any]]:
        """The values that stand side by side; none for a table without such a sheet."""
        chosen = rules()["tables"].get(self.table)
        return [] if chosen is None else list(rules()["spreads"][chosen["spread"]])

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The sheets to fill in."""
        return ("spread", "long") if self.members else ("long",)

    @cached_property
    def lists(self) -> dict[str, Entries]:
        """Name → codes in force and what a reader sees of each."""
        found: dict[str, Entries] = {}
        for column in (c for shape in self.shapes for c in self.columns(shape)):
            if column.list is not None and column.list not in found:
                found[column.list] = self._entries(column.field)
        if VALUE in self.schema.columns:
            found[REASONS] = [*self.reasons, *self._words()]
        for name, codes in rules()["additive"].items():
            if name in self.schema.columns:
                known = found[str(self.schema.field(name).codelist)]
                found[f"ADD_{name}"] = [(c, shown) for c, shown in known if c in codes]
        return found

    def _entries(self, of: Field) -> Entries:
        if of.codelist is None:
            return [(str(c), str(c)) for c in of.codes]
        offered = self.special.get("lists", {}).get(of.name, [of.codelist])
        known = pd.concat([codelist(name) for name in offered], ignore_index=True)
        begins, ends = known["VALID_FROM"].fillna("0000"), known["VALID_TO"].fillna("9999")
        in_force = known[(begins <= f"{self.year}-12-31") & (ends >= f"{self.year}-01-01")]
        codes = in_force["CODE"].tolist()
        return unique([(c, label(of.codelist, c, self.lang)) for c in codes])

    @cached_property
    def reasons(self) -> Entries:
        """The statuses of a value that is not there."""
        return [(s, label("CL_OBS_STATUS", s, self.lang)) for s in MISSING_ONLY if s != "H"]

    def _words(self) -> Entries:
        return [(s, word) for s, words in rules()["missing"].items() for word in words]

    def blank(self, of: Field) -> str | None:
        """Return what an empty cell stands for, as the form says it; None if for nothing."""
        if of.name == PERIOD:
            return str(self.year)
        return None if of.default is None or of.name == STATUS else str(of.default)

    def columns(self, shape: Shape) -> list[Column]:
        """Return a sheet's columns from left to right."""
        fields = self.fields
        values = [self._column(f) for f in fields if f.name == VALUE]
        if shape == "spread":
            per_value = {VALUE, STATUS, "DECIMALS", *(c for m in self.members for c in m["set"])}
            fields = [f for f in fields if f.name not in per_value and f.role != "measure"]
            values = [self._member(m) for m in self.members]
        if self.schema.kind == "record":
            return [self._column(f) for f in fields]
        before = [self._column(f) for f in fields if self.is_front(f)]
        behind = [f for f in fields if not self.is_front(f) and f.name != VALUE]
        return [*before, *values, *(self._column(f) for f in behind)]

    def _filled_by_its_code(self, of: Field) -> bool:
        base = of.name.removesuffix("_LABEL")
        return base != of.name and self.schema.field(base).codelist is not None

    def is_front(self, of: Field) -> bool:
        """Say whether a column stands before the values."""
        if of.name in (*rules()["front"], PERIOD) or of.role in ("key-label", "label"):
            return True
        return of.default is None and (of.role == "dimension" or of.required)

    def _column(self, of: Field) -> Column:
        return Column(of.name, of.label(self.lang), of)

    def _member(self, member: Mapping[str, Any]) -> Column:
        said = " – ".join(
            label(str(self.schema.field(c).codelist), code, self.lang)
            for c, code in member["set"].items()
        )
        parts = tuple(f"{VALUE}+{part}" for part in member.get("sum", ()))
        name = f"#SUM+{member['id']}" if parts else f"{VALUE}+{member['id']}"
        return Column(name, said, self.schema.field(VALUE), member["set"], parts)

    def profile(self, sheets: Mapping[str, Shape], lists: Mapping[str, Entries]) -> Profile:
        """Return the profile by which the form is read.

        Parameters
        ----------
        sheets
            The name of each sheet to fill in, and its shape.
        lists
            What the form shows for each code.
        """
        french = self.lang != "en"
        document: dict[str, Any] = {
            "name": f"template-{self.name}",
            "version": self.schema.version,
            "labels": dict(self.schema.title),
            "format": "workbook",
            "table": self.table,
            "numbers": {"decimal": "," if french else ".", "thousands": [" "]},
            "decimals": "printed",
            "missing": {"": NOT_AVAILABLE, **{w: s for s, w in lists.get(REASONS, ())}},
            "constants": dict(self.special.get("fixed", {})),
            "maps": self._maps(lists),
            "ignore_sheets": [LISTS, META],
            "sheets": [self._section(name, shape) for name, shape in sheets.items()],
        }
        return Profile(document["name"], {k: v for k, v in document.items() if v != {}})

    def _maps(self, lists: Mapping[str, Entries]) -> dict[str, dict[str, Any]]:
        maps: dict[str, dict[str, Any]] = {}
        for column in self.columns("long"):
            to = int if column.field.type == "integer" else str
            known = {} if column.list is None else {w: c for c, w in lists.get(column.list, ())}
            blank = self.blank(column.field)
            known |= {} if blank is None else {"": blank}
            if known:
                maps[column.id] = {written: to(code) for written, code in known.items()}
        return maps

    def _section(self, name: str, shape: Shape) -> dict[str, Any]:
        columns = [c for c in self.columns(shape) if not c.parts]
        values = [c for c in columns if c.is_value and c.set]
        # the status is known before the value is read, the decimals that are told come after
        late = {VALUE: 1, "DECIMALS": 2}
        columns = sorted((c for c in columns if c not in values), key=lambda c: late.get(c.id, 0))
        section: dict[str, Any] = {
            "name": re.escape(name),
            "called": name,
            "columns": [
                {"header": IDS, "drop": [TOTAL]},
                *(_head(c) for c in columns),
                {"pattern": "#(SUM|LAST).*", "example": "#SUM", "optional": True},
            ],
        }
        if values:
            section["values"] = [{"header": c.id, "set": dict(c.set)} for c in values]
            section["headings"] = True  # a row without any value is not filled in
        return section


def _head(column: Column) -> dict[str, str]:
    """Return how a column is read; where the list fails, a number for a code that is one."""
    head = {"header": column.id, "column": column.id}
    return head | {"as": "text"} if column.field.type == "integer" else head


def unique(entries: Entries) -> Entries:
    """Return the entries with the code behind each label that stands for two, or is a code."""
    labels = [fold(shown) for _, shown in entries]
    codes = {fold(code): code for code, _ in entries}
    return [
        (code, shown)
        if labels.count(fold(shown)) == 1 and codes.get(fold(shown), code) == code
        else (code, f"{shown} [{code}]")
        for code, shown in entries
    ]
