"""The rule catalogue: files of ``data/schemas/rules``, checked and listed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.errors import GbiError
from gbi.findings import SEVERITIES, rule_document, severity_of
from gbi.resources import read_document, resource_path, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from gbi.findings import Severity

INTAKE, WAIVER = "intake", "waiver"
OUTSIDE = (INTAKE, WAIVER)  # what reading and the handling of waivers find, without an operator
SEVERITIES_FILE = "severities.yaml"


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule file, read and checked.

    The attributes are the keys of the file that the engine uses; ``document`` is all of it.
    """

    document: dict[str, Any]

    @property
    def code(self) -> str:
        """The code, allocated once: ``GBI-A003``."""
        return str(self.document["code"])

    @property
    def slug(self) -> str:
        """The readable name."""
        return str(self.document["slug"])

    @property
    def operator(self) -> str:
        """The operator's name; ``intake`` for what reading finds."""
        return str(self.document["operator"])

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the rule is about."""
        return tuple(self.document["tables"])

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns without which the rule can't run."""
        return tuple(self.document["needs"])

    @property
    def waivable(self) -> bool:
        """Whether a justification can lift a finding that does not block."""
        return bool(self.document["waivable"])

    def severity(self, table: str | None, as_of: date) -> Severity:
        """Return the severity in force (see :func:`gbi.findings.severity_of`)."""
        return severity_of(self.document, table, as_of)

    def raised(self, level: Severity, where: str) -> Rule:
        """Return the rule with every severity at least at a level.

        Raises
        ------
        GbiError
            ``GBI-E007`` if the level is milder than one that the rule has.
        """
        grave = SEVERITIES.index(level)
        if any(SEVERITIES.index(e["level"]) < grave for e in self.document["severity"]):
            raise GbiError("GBI-E007", where=where, got=f"{self.code}: {level}")
        entries = [{**e, "level": level} for e in self.document["severity"]]
        return Rule({**self.document, "severity": entries})


def catalogue(folder: Path | None = None) -> tuple[Rule, ...]:
    """Return the packaged rules, by code, and those of a ministry's own.

    Parameters
    ----------
    folder
        A ministry's own rules: files in the form of the packaged ones whose codes begin with
        other letters than ``GBI`` (``MEF-A001.yaml``), and ``severities.yaml`` with a level by
        code, which may be graver than the packaged one and never milder.

    Raises
    ------
    GbiError
        ``GBI-E003`` if a file breaks the rule schema; ``GBI-E007`` if a code is not one's own or
        is there twice, or if a severity is lowered; ``GBI-E060`` if there is no such folder.
    """
    if folder is None:
        return _packaged()
    if not folder.is_dir():
        raise GbiError("GBI-E060", where=str(folder), exit_code=2)
    stats = [(p, p.stat()) for p in sorted(folder.rglob("*.yaml"))]
    return _with_own(folder, tuple((p, s.st_size, s.st_mtime_ns) for p, s in stats))


@lru_cache(maxsize=1)
def _packaged() -> tuple[Rule, ...]:
    root = resource_path("schemas", "rules")
    return tuple(Rule(rule_document(p.stem)) for p in sorted(root.rglob("GBI-*.yaml")))


@lru_cache(maxsize=8)
def _with_own(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> tuple[Rule, ...]:
    """Return the rules with those of a folder, whose files are read again once one has changed."""
    raised = folder / SEVERITIES_FILE
    found = {rule.code: rule for rule in _packaged()}
    for path in (p for p, *_ in files if p.name != SEVERITIES_FILE):
        rule = Rule(read_document(path, "rule"))
        if rule.code in found or rule.code.startswith("GBI-"):
            raise GbiError("GBI-E007", where=path.name, got=rule.code)
        found[rule.code] = rule
    if raised.is_file():
        for code, level in read_document(raised, "severities").items():
            if code not in found:
                raise GbiError(
                    "GBI-E004", where=raised.name, got=code, expected=suggest(code, [*found])
                )
            found[code] = found[code].raised(level, raised.name)
    return tuple(found[code] for code in sorted(found))


@lru_cache(maxsize=1)
def effective_day() -> str:
    """Return the day on which the newest entry of the rule set takes effect (ISO).

    Validation without a date uses it, never the clock: the same files give the same report.
    """
    return max(str(entry["from"]) for rule in catalogue() for entry in rule.document["severity"])


def pick(
    only: Iterable[str] | None, exclude: Iterable[str] | None, known: Sequence[Rule] | None = None
) -> tuple[Rule, ...]:
    """Return the rules to run.

    Parameters
    ----------
    only, exclude
        Codes (``GBI-A003`` or ``A003``), slugs or families (``A``).
    known
        The rules to choose from; by default the packaged ones.

    Raises
    ------
    GbiError
        ``GBI-E004`` for a word that names no rule, with the nearest one that does.
    """
    rules = catalogue() if known is None else known
    wanted = None if only is None else _named(only, rules)
    refused = set() if exclude is None else _named(exclude, rules)
    return tuple(r for r in rules if (wanted is None or r.code in wanted) and r.code not in refused)


def _named(words: Iterable[str], rules: Sequence[Rule]) -> set[str]:
    found: set[str] = set()
    for word in [words] if isinstance(words, str) else words:
        hits = {
            r.code
            for r in rules
            if word in (r.code, r.slug, r.code.removeprefix("GBI-"), r.code.partition("-")[2][0])
        }
        if not hits:
            near = suggest(word, [*(r.code for r in rules), *(r.slug for r in rules)])
            raise GbiError("GBI-E004", got=word, expected=near)
        found |= hits
    return found


def rules(folder: Path | None = None) -> pd.DataFrame:
    """Return the rule catalogue as a table, a row per rule.

    Parameters
    ----------
    folder
        A ministry's own rules (see :func:`catalogue`).

    Returns
    -------
    DataFrame
        ``CODE SLUG SEVERITY TABLES TITLE_FR TITLE_AR TITLE_EN REFERENCES WAIVABLE OPERATOR SCOPE
        SINCE REVIEWED``. ``SEVERITY`` is the one in force when the rule set took effect; where
        tables differ, each is named (``blocking; statistics: warning``).
    """
    rows = []
    for rule in catalogue(folder):
        d = rule.document
        rows.append(
            {
                "CODE": rule.code,
                "SLUG": rule.slug,
                "SEVERITY": _severities(rule),
                "TABLES": " ".join(rule.tables),
                **{f"TITLE_{x.upper()}": d["messages"][x]["title"] for x in ("fr", "ar", "en")},
                "REFERENCES": " ".join(d["references"]),
                "WAIVABLE": rule.waivable,
                "OPERATOR": rule.operator,
                "SCOPE": d["scope"],
                "SINCE": d["since"],
                "REVIEWED": bool(d["reviewed"]),
            }
        )
    return pd.DataFrame(rows)


def _severities(rule: Rule) -> str:
    from datetime import date

    day = date.fromisoformat(effective_day())
    general = rule.severity(None, day)
    special = [
        f"{table}: {level}"
        for table in rule.tables
        if (level := rule.severity(table, day)) != general
    ]
    return "; ".join([general, *special])
