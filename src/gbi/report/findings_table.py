"""The findings as a table for other programs: CSV, Parquet and a JSON object a line.

Every row tells how many findings its rule has in all, so that a list that was cut short says so.
"""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from gbi.ingest.publication import guarded
from gbi.language import LANGUAGES
from gbi.provenance import canonical, canonical_json
from gbi.report.wording import missing
from gbi.validation.report import REPORT_SCHEMA

if TYPE_CHECKING:
    import pyarrow as pa

    from gbi.findings import Finding
    from gbi.validation import ValidationReport

_TEXT, _NUMBER, _WHOLE = "string", "double", "int64"
_MESSAGE = ("title", "seen", "expected", "fix")
# Column → type. FOUND and EXPECTED hold what was written; the *_NUMBER columns hold it as a number.
COLUMNS: dict[str, str] = {
    **dict.fromkeys(
        ("ID", "CODE", "SLUG", "SEVERITY", "STATUS", "SCOPE", "FILE", "SHEET", "A1", "CELLS",
         "KEY", "FIELD", "FOUND"), _TEXT),
    "FOUND_NUMBER": _NUMBER,
    "EXPECTED": _TEXT,
    "EXPECTED_NUMBER": _NUMBER,
    "DIFFERENCE": _NUMBER,
    "TOLERANCE": _NUMBER,
    "UNIT": _TEXT,
    "SUGGESTION": _TEXT,
    **{f"{part.upper()}_TEXT_{x.upper()}": _TEXT for part in _MESSAGE for x in LANGUAGES},
    "RULE_FINDINGS": _WHOLE,
}  # fmt: skip


def _written(value: object) -> str | None:
    if value is None or missing(value):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(value)


def _row(finding: Finding, totals: dict[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(finding, name.lower(), None) for name in COLUMNS}
    row |= {
        "CELLS": " ".join(dict.fromkeys(c.a1 for c in finding.cells if c.a1)),
        "KEY": " › ".join(finding.key.values()),
        "FOUND": _written(finding.found),
        "FOUND_NUMBER": _number(finding.found),
        "EXPECTED": _written(finding.expected),
        "EXPECTED_NUMBER": _number(finding.expected),
        "DIFFERENCE": _number(finding.difference),
        "TOLERANCE": _number(finding.tolerance),
        "RULE_FINDINGS": totals.get(finding.code, 0),
    }
    for part in _MESSAGE:
        for lang in LANGUAGES:
            row[f"{part.upper()}_TEXT_{lang.upper()}"] = finding.message[lang].get(part, "")
    return row


def _rows(report: ValidationReport) -> list[dict[str, Any]]:
    totals = {rule.code: rule.findings for rule in report.rules}
    return [_row(finding, totals) for finding in report.findings]


def csv_text(report: ValidationReport) -> str:
    """Return the findings as RFC 4180 text; what a program could take for a formula is guarded.

    Only text columns are: a number such as −5 stays a number.
    """
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow(_field(row[name], kind) for name, kind in COLUMNS.items())
    return buffer.getvalue()


def _field(value: Any, kind: str) -> str:
    if value is None or value == "":
        return ""
    if kind == _TEXT:
        return guarded(str(value).replace("\x00", ""))
    return str(value) if kind == _WHOLE else f"{value:.15g}"


def arrow_table(report: ValidationReport) -> pa.Table:
    """Return the findings as an Arrow table; its metadata tell verdict, counts and truncation."""
    import pyarrow as pa

    types = {_TEXT: pa.string(), _NUMBER: pa.float64(), _WHOLE: pa.int64()}
    metadata = {"gbi": canonical_json(_head(report))}
    schema = pa.schema([pa.field(n, types[k]) for n, k in COLUMNS.items()], metadata=metadata)
    rows = _rows(report)
    columns = [
        [None if row[n] is None else str(row[n]) if kind == _TEXT else row[n] for row in rows]
        for n, kind in COLUMNS.items()
    ]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def parquet_bytes(report: ValidationReport) -> bytes:
    """Return the Arrow table as a Parquet file."""
    import pyarrow.parquet as pq

    buffer = BytesIO()
    pq.write_table(arrow_table(report), buffer)
    return buffer.getvalue()


def ndjson_text(report: ValidationReport) -> str:
    """Return a JSON object a line: the report's head first, then a finding each."""
    lines = [canonical_json({"type": "report", **_head(report)})]
    lines += [canonical_json({"type": "finding", **f.to_dict()}) for f in report.findings]
    return "".join(f"{line}\n" for line in lines)


def _head(report: ValidationReport) -> dict[str, Any]:
    """Return the payload without its lists: verdict, counts, options, truncation."""
    head: dict[str, Any] = canonical(
        {
            "schema": REPORT_SCHEMA,
            "version": report.provenance.version,
            "ruleset": report.provenance.ruleset,
            "fingerprint": report.provenance.fingerprint,
            "verdict": report.verdict,
            "counts": report.counts,
            "options": dict(report.options),
            "truncation": report.truncation,
        }
    )
    return head
