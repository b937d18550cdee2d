"""Read the code lists and the concepts that columns are named by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from gbi.errors import GbiError
from gbi.language import LANGUAGES, resolve_language
from gbi.resources import read_document, resource_path, suggest

_COLUMNS = {
    "PARENT": "parent",
    "VALID_FROM": "valid_from",
    "VALID_TO": "valid_to",
    "MINISTRY": "ministry",
    "TO_CONFIRM": "to_confirm",
    "REVIEWED": "reviewed",
}


@dataclass(frozen=True, slots=True)
class Concept:
    """What a column means: name, labels, code list, the code that an absent column stands for.

    A ``dimension`` tells values apart; an attribute only describes them.
    """

    name: str
    labels: dict[str, str]
    codelist: str | None
    default: str | None
    dimension: bool = False

    def label(self, lang: str | None = None) -> str:
        """Return the concept's label in a language."""
        return self.labels[resolve_language(lang)]


@lru_cache(maxsize=1)
def codelists() -> tuple[str, ...]:
    """Return the names of all code lists."""
    folder = resource_path("schemas", "codelists")
    return tuple(sorted(p.stem for p in folder.glob("CL_*.yaml")))


@lru_cache(maxsize=64)
def list_document(name: str) -> dict[str, Any]:
    """Return a code list as its file says it.

    Parameters
    ----------
    name
        ``CL_SEX``, or the concept that uses the list (``SEX``, ``REF_AREA``).

    Raises
    ------
    GbiError
        ``GBI-E041`` if there is no such list.
    """
    if name not in codelists():
        known = concepts()
        if name in known and known[name].codelist:
            return list_document(str(known[name].codelist))
        listed = [c for c in known if known[c].codelist]
        near = suggest(name, [*codelists(), *listed])
        raise GbiError("GBI-E041", got=name, expected=near or ", ".join(codelists()))
    return read_document(resource_path("schemas", "codelists", f"{name}.yaml"), "codelist")


@lru_cache(maxsize=64)
def accepted(name: str) -> list[dict[str, Any]]:
    """Return a list's entries, then those of the lists that it accepts beside its own."""
    document = list_document(name)
    beside = [list_document(other)["codes"] for other in document.get("also", ())]
    return [*document["codes"], *(entry for codes in beside for entry in codes)]


def codelist(name: str) -> pd.DataFrame:
    """Return a code list as a table.

    Parameters
    ----------
    name
        The list (``CL_SEX``) or the concept that uses it (``SEX``).

    Returns
    -------
    DataFrame
        One row per code of the list itself, in its order: CODE, LABEL_FR, LABEL_AR, LABEL_EN,
        PARENT, VALID_FROM, VALID_TO, MINISTRY, TO_CONFIRM, REVIEWED (has the Centre confirmed
        the wording?).

    Raises
    ------
    GbiError
        ``GBI-E041`` if there is no such list; it names the nearest one.
    """
    rows = [
        {
            "CODE": entry["code"],
            **{f"LABEL_{lang.upper()}": entry["label"][lang] for lang in LANGUAGES},
            **{column: entry.get(key) for column, key in _COLUMNS.items()},
        }
        for entry in list_document(name)["codes"]
    ]
    return pd.DataFrame(rows)


@lru_cache(maxsize=64)
def codes(name: str) -> tuple[str, ...]:
    """Return the codes that a list accepts: its own, in its order, then those beside them."""
    return tuple(entry["code"] for entry in accepted(name))


@lru_cache(maxsize=64)
def own_codes(name: str) -> frozenset[str]:
    """Return the codes of the list itself, without those that it accepts beside them."""
    return frozenset(entry["code"] for entry in list_document(name)["codes"])


def label(name: str, code: str, lang: str | None = None) -> str:
    """Return a code's label; a code that the list does not have is its own label.

    Parameters
    ----------
    name
        The list or the concept that uses it.
    code
        The code.
    lang
        The language.
    """
    labels = _labels(name).get(code)
    return code if labels is None else labels[resolve_language(lang)]


@lru_cache(maxsize=64)
def _labels(name: str) -> dict[str, dict[str, str]]:
    return {entry["code"]: entry["label"] for entry in accepted(name)}


@lru_cache(maxsize=1)
def concepts() -> dict[str, Concept]:
    """Return all concepts by name."""
    document = read_document(resource_path("schemas", "codelists", "CONCEPTS.yaml"), "concepts")
    return {
        c["id"]: Concept(
            c["id"], c["label"], c.get("codelist"), c.get("default"), c.get("dimension", False)
        )
        for c in document["concepts"]
    }


def concept(name: str) -> Concept:
    """Return a concept by name.

    Raises
    ------
    GbiError
        ``GBI-E042`` if there is no such concept; it names the nearest one.
    """
    try:
        return concepts()[name]
    except KeyError:
        near = suggest(name, list(concepts()))
        raise GbiError("GBI-E042", got=name, expected=near or ", ".join(concepts())) from None
