"""Concepts, code lists, units, departments and the total guard.

The lists are data (``data/schemas/codelists/``), each with the SDMX list and version that it
follows; this package reads them and matches the labels that people write to their codes.
"""

from gbi.vocabulary.departments import department_map, ministry_of
from gbi.vocabulary.labels import Match, match_label
from gbi.vocabulary.lists import (
    Concept,
    codelist,
    codelists,
    codes,
    concept,
    concepts,
    label,
    own_codes,
)
from gbi.vocabulary.totals import refuse_mixed_totals
from gbi.vocabulary.units import Unit, read_unit, unit_in_title

__all__ = [
    "Concept",
    "Match",
    "Unit",
    "codelist",
    "codelists",
    "codes",
    "concept",
    "concepts",
    "department_map",
    "label",
    "match_label",
    "ministry_of",
    "own_codes",
    "read_unit",
    "refuse_mixed_totals",
    "unit_in_title",
]
