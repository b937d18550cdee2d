"""Rules on columns and rows as a pandera schema, for those who work with pandera.

It is written with pandas alone and shares no code with the operators: a test holds both to the
same rows. All contact of validation with pandera is in this module.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.schemas import schema
from gbi.validation.catalogue import catalogue, pick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gbi.validation.catalogue import Rule

    Params = Mapping[str, Any]
    RowCheck = Callable[[pd.DataFrame], pd.Series[bool]]
    Compiled = Callable[[str, Params], RowCheck]

NEAR = 1e-9  # relative noise of binary fractions, which is no breach


def pandera_rules(table: str, only: Iterable[str] | None = None) -> Any:
    """Return the rules of a table on columns and rows as a ``DataFrameSchema``.

    Each check is named by the code of its rule and holds for whole rows; types, code lists and
    keys are in ``gbi.schema(table).to_pandera()``. Sums, pairs, series and comparisons with other
    tables have no form in pandera.

    Parameters
    ----------
    table
        The table's name.
    only
        Codes, slugs or families.
    """
    import pandera.pandas as pa

    checks = [
        pa.Check(
            COMPILED[rule.operator](table, rule.document["params"]),
            name=rule.code,
            error=rule.code,
            ignore_na=False,
            n_failure_cases=1,
        )
        for rule in compiled(table, only)
    ]
    return pa.DataFrameSchema(checks=checks, name=table, strict=False, coerce=False)


def compiled(table: str, only: Iterable[str] | None = None) -> tuple[Rule, ...]:
    """Return the rules of a table that have a form in pandera."""
    return tuple(
        rule
        for rule in pick(only, None, catalogue())
        if table in rule.tables
        and rule.operator in COMPILED
        and not _UNTOLD & rule.document["params"].keys()
    )


def broken_rows(frame: pd.DataFrame, table: str, only: Iterable[str] | None = None) -> pd.DataFrame:
    """Return the rows that break the rules, as pandera finds them.

    Parameters
    ----------
    frame, table
        The data, with a RangeIndex, and the table's name.
    only
        Codes, slugs or families.

    Returns
    -------
    DataFrame
        ``CODE ROW``, by code and position.
    """
    import pandera.pandas as pa

    mine = [r for r in compiled(table, only) if set(r.needs) <= set(frame.columns)]
    parts: list[tuple[str, int]] = []
    if mine:
        rules = pandera_rules(table, [r.code for r in mine])
        try:
            rules.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            for error in errors.schema_errors:
                held = error.check_output
                if error.check is None or held is None:  # pandera could not run the check
                    raise
                rows = np.flatnonzero(~np.asarray(held, dtype=bool)).tolist()
                parts += [(str(error.check.name), row) for row in rows]
    return pd.DataFrame(sorted(parts), columns=["CODE", "ROW"])


def _about(frame: pd.DataFrame, params: Params) -> pd.Series[bool]:
    """Say which rows a rule is about."""
    keep = pd.Series(True, index=frame.index)
    for column, codes in params.get("where", {}).items():
        keep &= frame[column].isin(codes) if column in frame else False
    for column, codes in params.get("exempt", {}).items():
        if column in frame:
            keep &= ~frame[column].isin(codes)
    return keep


def _required(table: str, params: Params) -> RowCheck:
    fields = schema(table).fields

    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        asked = params.get("columns") or [
            f.name
            for f in fields
            if f.missing_reason or (f.required and (f.default is None or f.name in frame))
        ]
        good = pd.Series(True, index=frame.index)
        for column in (c for c in asked if c in frame):
            gap = frame[column].isna() & _about(frame, params)
            beside = params.get("unless", {}).get(column)
            if beside in frame:
                gap &= frame[beside].isna()
            for other, codes in params.get("left_out", {}).get(column, {}).items():
                gap &= ~frame[other].isin(codes) if other in frame else True
            reason = params.get("reason_column")
            if column == "OBS_VALUE" and reason in frame:
                gap &= frame[reason].fillna("A") == "A"
            good &= ~gap
        return good

    return check


def _range(table: str, params: Params) -> RowCheck:
    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        if params["column"] not in frame:
            return pd.Series(True, index=frame.index)
        about, value = _about(frame, params), frame[params["column"]].astype("float64")
        bounds = params.get("by_unit", {None: params})
        good = pd.Series(True, index=frame.index)
        for unit, bound in bounds.items():
            mine = about if unit is None else about & (frame["UNIT_MEASURE"] == unit)
            slack = NEAR * value.abs()
            outside = (value < bound.get("min", -np.inf) - slack) | (
                value > bound.get("max", np.inf) + slack
            )
            if "above" in bound:
                outside |= value <= bound["above"]
            if bound.get("gaps"):
                outside |= value.isna()
            good &= ~(mine & outside)
        return good

    return check


def _integer(table: str, params: Params) -> RowCheck:
    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        value = frame[params["column"]].astype("float64")
        if "UNIT_MULT" in frame:
            value = value * 10.0 ** frame["UNIT_MULT"].fillna(0).astype("float64")
        off = (value - value.round()).abs() > NEAR * value.abs().clip(lower=1.0)
        return pd.Series(~(off.to_numpy() & _about(frame, params).to_numpy()), index=frame.index)

    return check


def _one_of(table: str, params: Params) -> RowCheck:
    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        good = pd.Series(True, index=frame.index)
        lists = params.get("values_by") or {None: params.get("values", [])}
        for column in (c for c in params["columns"] if c in frame):
            for group, allowed in lists.items():
                mine = frame[column].notna()
                if group is not None:
                    mine &= frame[params["by"]] == group if params["by"] in frame else False
                good &= ~mine | frame[column].isin(allowed)
        return good

    return check


def _unique(table: str, params: Params) -> RowCheck:
    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        named = params.get("given")
        key = [c for c in params.get("key", schema(table).key) if c in frame]
        if (named is not None and named not in frame) or not key:
            return pd.Series(True, index=frame.index)
        kept = frame if named is None else frame[frame[named].notna()]
        twice: pd.Series[bool] = kept.duplicated(key, keep=False)
        return ~twice.reindex(frame.index, fill_value=False)

    return check


def _pattern(table: str, params: Params) -> RowCheck:
    patterns = {f.name: f.constraints.get("pattern") for f in schema(table).fields}

    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        good = pd.Series(True, index=frame.index)
        for column in (c for c in params["columns"] if c in frame and patterns.get(c)):
            whole = re.compile(patterns[column] or "")
            fits = frame[column].map(lambda v, p=whole: p.fullmatch(str(v)) is not None)
            good &= frame[column].isna() | fits.astype(bool)
        return good

    return check


# Words of a title, and gaps that are told once per series, have no such form.
_UNTOLD = {"label", "once_per_series"}
COMPILED: Mapping[str, Compiled] = {
    "required": _required,
    "range": _range,
    "integer": _integer,
    "one_of": _one_of,
    "unique_key": _unique,
    "matches_pattern": _pattern,
}
