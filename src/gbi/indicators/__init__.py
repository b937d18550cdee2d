"""Measures: from a table to a result with notes, coverage and provenance.

All take the data first and everything else by keyword, and return a
:class:`gbi.results.Result`. What can't be computed is a row with a status and a reason.
"""

from gbi.indicators.budget import budget_structure
from gbi.indicators.composition import share
from gbi.indicators.marking import gender_marking
from gbi.indicators.parity import gap
from gbi.indicators.performance import achievement

__all__ = ["achievement", "budget_structure", "gap", "gender_marking", "share"]
