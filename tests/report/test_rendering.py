"""Results and validation reports on a screen: text, HTML, a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
import pytest

from gbi.errors import GbiError
from gbi.indicators import gap, share
from gbi.language import text
from gbi.results import Result
from gbi.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gbi.report import ReportBundle

LANGUAGES = ("fr", "ar", "en")


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    with mpl.rc_context({"backend": "Agg"}):
        from matplotlib import pyplot

        yield
        pyplot.close("all")


def test_a_summary_holds_figures_notes_and_fingerprint(results: dict[str, Result]) -> None:
    result = results["gaps"]
    said = result.summary(lang="en")
    first, *lines = said.splitlines()
    assert first == "Gaps between women and men · 6 rows"
    (row,) = [line for line in lines if "Fonctionnaires formés" in line and "2023" in line]
    assert row.split().count("123") == 1
    assert "\u2212143" in row
    assert "ORIGIN" not in said
    assert all(f"- {note.texts()['en']}" in lines for note in result.notes)
    assert lines[-1] == f"Fingerprint {result.provenance.fingerprint}"
    table = lines[lines.index("") + 1 :]
    assert len(table[0].rstrip()) <= len(table[1]) == max(map(len, table[:8]))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_summary_is_the_same_twice_and_another_in_another_language(
    results: dict[str, Result], lang: str
) -> None:
    for name, result in results.items():
        said = result.summary(lang=lang)
        assert said == result.summary(lang=lang), name
        assert said.startswith(text(f"report.results.{result.kind}", lang))
        assert [said == result.summary(lang=x) for x in LANGUAGES].count(True) == 1


def test_a_long_result_says_how_many_rows_are_left() -> None:
    frame = pd.DataFrame({"INDICATOR": [f"i{n}" for n in range(45)], "SHARE": [0.5] * 45})
    said = Result("shares", frame).summary(lang="fr")
    assert "i19" in said
    assert "i20" not in said
    assert "et 25 autres" in said


def test_an_empty_result_has_a_summary_and_html() -> None:
    empty = Result("shares", pd.DataFrame())
    assert empty.summary(lang="en").splitlines()[0] == "Shares · 0 rows"
    assert "<caption>" in empty._repr_html_()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_validation_summary_names_verdict_counts_and_cells(
    written: dict[str, ReportBundle], lang: str
) -> None:
    report = written[lang].validation
    assert report is not None
    lines = report.summary(lang=lang).splitlines()
    assert lines[0] == text("report.verdict.rejected", lang)
    assert f" {report.counts['warning']} " in lines[1]
    for code in {f.code for f in report.findings}:
        mine = [f for f in report.findings if f.code == code]
        (heading,) = [x for x in lines if x.startswith(code)]
        assert str(len(mine)) in heading
        first = mine[0]
        assert text(f"report.severity.{first.severity}", lang) in heading
        at = lines.index(heading)
        assert str(first.cells[0]) in lines[at + 1]
        assert first.message[lang]["seen"] in lines[at + 2]
        assert first.message[lang]["fix"] in lines[at + 3]
    assert report.provenance.fingerprint in lines[-1]


def test_a_validation_summary_says_what_was_not_run() -> None:
    rows = {"INDICATOR": ["a"], "TIME_PERIOD": ["2020"], "SEX": ["F"], "OBS_VALUE": [1.0],
            "UNIT_MEASURE": ["PT"], "UNIT_MULT": [0], "OBS_STATUS": ["A"]}  # fmt: skip
    from gbi.dataset import Dataset

    report = validate(Dataset.of(pd.DataFrame(rows), "statistics"))
    assert report.not_run
    said = report.summary(lang="en")
    assert f"Rules not run: {len(report.not_run)}" in said
    assert report.not_run[0].code in said


def test_html_for_a_notebook_is_escaped_and_follows_the_language(
    results: dict[str, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    french = results["gaps"]._repr_html_()
    assert "&lt;script&gt;" in french
    assert "<script" not in french
    assert 'dir="ltr"' in french
    assert "\u2212143" in french
    monkeypatch.setenv("GBI_LANG", "ar")
    assert 'lang="ar" dir="rtl"' in results["gaps"]._repr_html_()


def test_pairs_are_drawn_at_their_values(results: dict[str, Result]) -> None:
    ax = results["gaps"].plot(lang="fr", title="Écarts")
    drawn = {float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1}
    assert drawn == {57.0, 65.0}
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Taux d'accès à la formation"]
    assert [t.get_text() for t in ax.figure.legends[0].get_texts()] == ["Femmes", "Hommes"]
    assert ax.get_title(loc="left") == "Écarts"


def test_one_series_is_drawn_over_time(results: dict[str, Result]) -> None:
    ax = results["national_gaps"].plot(lang="fr")
    (line,) = [x for x in ax.lines if len(x.get_xdata()) == 8]
    assert list(line.get_xdata()) == list(range(2015, 2023))
    assert list(line.get_ydata()) == [12.0 + n for n in range(8)]
    assert ax.get_title(loc="left") == "Effectif des élèves"


def test_credits_are_stacked_to_their_total(results: dict[str, Result]) -> None:
    ax = results["budget_structure"].plot(lang="en")
    ends = {round(b.get_x() + b.get_width(), 6) for b in ax.patches}
    assert {4.204869, 2.294977} <= ends
    assert len(ax.figure.legends[0].get_texts()) == 4


def test_shares_are_bars_and_bounds_are_lines(results: dict[str, Result]) -> None:
    ax = results["marking"].plot(lang="fr")
    (bar,) = ax.patches
    assert bar.get_width() == pytest.approx(100 * (0.7 * 766.29 + 442.2) / 1208.49)
    (bounds,) = ax.lines
    assert list(bounds.get_xdata()) == [0.0, 70.0]
    rows = {"INDICATOR": ["a", "a"], "SEX": ["F", "M"], "OBS_VALUE": [1.0, 3.0],
            "UNIT_MEASURE": ["NUMBER"] * 2, "UNIT_MULT": [0, 0], "MEASURE_KIND": ["COUNT"] * 2,
            "OBS_STATUS": ["A", "A"]}  # fmt: skip
    ax = share(pd.DataFrame(rows), by=["INDICATOR"]).plot(lang="en")
    assert [p.get_width() for p in ax.patches] == [25.0]


def test_targets_are_drawn_in_percent(results: dict[str, Result]) -> None:
    ax = results["achievement"].plot(lang="en")
    points = {tuple(map(float, p)) for c in ax.collections for p in c.get_offsets()}
    assert points == {(57.0, 55.0), (65.0, 66.0), (12.0, 13.0)}


def test_a_result_is_drawn_where_it_is_told(results: dict[str, Result]) -> None:
    from matplotlib.figure import Figure

    ax: Any = Figure().add_subplot()
    assert results["gaps"].plot(ax=ax, lang="ar") is ax
    assert ax.get_legend().get_texts()[0].get_text() == "النساء"


def test_the_settings_of_matplotlib_return(results: dict[str, Result]) -> None:
    before = dict(mpl.rcParams)
    results["gaps"].plot()
    assert dict(mpl.rcParams) == before


def test_what_cannot_be_drawn_is_said() -> None:
    rows = {"SEX": ["F"], "OBS_VALUE": [1.0], "UNIT_MEASURE": ["PT"], "UNIT_MULT": [0],
            "OBS_STATUS": ["A"], "INDICATOR": ["a"]}  # fmt: skip
    for result in (Result("other", pd.DataFrame()), gap(pd.DataFrame(rows), by=["INDICATOR"])):
        with pytest.raises(GbiError) as raised:
            result.plot()
        assert raised.value.code == "GBI-E081"
