"""Departments and the ministries whose budget line they belong to: many to one."""

from __future__ import annotations

import pandas as pd

from gbi.errors import GbiError
from gbi.vocabulary.lists import list_document


def department_map() -> pd.DataFrame:
    """Return DEPARTMENT, MINISTRY and TO_CONFIRM (the correspondence is still to be confirmed).

    Results chains speak of the department, budget annexes of the ministry or institution.
    """
    rows = [
        (entry["code"], entry["ministry"], bool(entry.get("to_confirm", False)))
        for entry in list_document("CL_DEPARTMENT")["codes"]
    ]
    return pd.DataFrame(rows, columns=["DEPARTMENT", "MINISTRY", "TO_CONFIRM"])


def ministry_of(department: str) -> str:
    """Return the ministry's code for a department's code.

    Raises
    ------
    GbiError
        ``GBI-E043`` if there is no such department.
    """
    for entry in list_document("CL_DEPARTMENT")["codes"]:
        if entry["code"] == department:
            return str(entry["ministry"])
    raise GbiError("GBI-E043", got=department)
