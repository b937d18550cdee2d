"""Operators between credits and the persons they reach: a programme's chain, a cost by sex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.validation.context import Checked, Violation, floats, rows_where
from gbi.validation.matching import Trails, members, name_of

if TYPE_CHECKING:
    from gbi.validation.context import Context


def credits_without_result(ctx: Context) -> Checked:
    """Find programmes of the budget whose results chain counts no persons.

    Only ministries that hand in a chain are looked at. Params: ``table``, ``counted`` (codes of
    ``COUNTED`` that make an indicator one of persons).
    """
    chain = ctx.others[ctx.params["table"]]
    if "PROGRAMME" not in ctx.frame.columns or "COUNTED" not in chain.columns:
        return Checked(0)
    trails = Trails(chain, ctx.frame, ["MINISTRY"], ["PROGRAMME"])
    persons = rows_where(chain, {"COUNTED": ctx.params["counted"]})
    credit = np.isfinite(ctx.values()) & (ctx.values() > 0) & trails.given[1]
    # Only where chain and budget name programmes alike can one be said to be missing.
    alike = set(trails.scopes[0][pd.Series(trails.items[0]).isin(set(trails.items[1])).to_numpy()])
    looked = credit & pd.Series(trails.scopes[1]).isin(alike).to_numpy()
    met = pd.Series(trails.items[1]).isin(set(trails.items[0][persons])).to_numpy()
    found = [
        Violation(
            tuple(rows), "PROGRAMME", found=name_of(ctx.frame, rows[0], "PROGRAMME"), shared=True
        )
        for rows in members(trails.items[1], looked & ~met)
    ]
    return Checked(len(members(trails.items[1], looked)), found)


def unit_cost_by_sex(ctx: Context) -> Checked:
    """Find programmes with credits whose persons are given by sex, but nowhere as a count.

    A cost by sex divides credits by heads. Where nothing at all is given by sex, the missing
    split is reported per indicator. Params: ``table`` (the budget), ``counted``, ``sexes``,
    ``units`` (of counts).
    """
    p, frame, budget = ctx.params, ctx.frame, ctx.others[ctx.params["table"]]
    trails = Trails(frame, budget, ["YEAR", "MINISTRY"], ["PROGRAMME"])
    item = pd.Series(trails.items[0])
    by_sex = rows_where(frame, {"COUNTED": p["counted"], "SEX": p["sexes"]}) & ctx.given()
    credit = (floats(budget, "OBS_VALUE") > 0) & trails.given[1]
    looked = by_sex & trails.given[0] & item.isin(set(trails.items[1][credit])).to_numpy()
    heads = by_sex & rows_where(frame, {"UNIT_MEASURE": p["units"]})
    met = item.isin(set(trails.items[0][heads])).to_numpy()
    found = [
        Violation(
            tuple(rows), "UNIT_MEASURE", found=name_of(frame, rows[0], "PROGRAMME"),
            expected=", ".join(p["sexes"]), shared=True,
        )
        for rows in members(trails.items[0], looked & ~met)
    ]  # fmt: skip
    return Checked(len(members(trails.items[0], looked)), found)
