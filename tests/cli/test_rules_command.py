"""``gbi rules`` (list, show, docs, lint, diff) and ``gbi suggest``, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import gbi
from gbi.resources import resource_path

from .conftest import Ended

pytestmark = pytest.mark.slow

Command = Callable[..., Ended]
A003 = resource_path("schemas", "rules", "A", "GBI-A003.yaml")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder with a ministry's own rule: no year before 2000 in statistics."""
    folder = tmp_path / "own"
    folder.mkdir()
    write(folder)
    return folder


def write(folder: Path, code: str = "MEF-A901", **changes: object) -> None:
    document = yaml.safe_load(A003.read_text(encoding="utf-8"))
    document |= {"code": code, "slug": "own_rule", **changes}
    path = folder / f"{code}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")


@pytest.fixture
def filing(tmp_path: Path) -> Path:
    """Return a file whose one spoilt figure stands in two sums."""
    head = (
        "INDICATOR,TIME_PERIOD,REF_AREA,SEX,URBANISATION,OBS_VALUE,UNIT_MEASURE,OBS_STATUS,SOURCE"
    )
    figures = (
        ("F", "U", 4231), ("M", "U", 5210), ("_T", "U", 9531),
        ("F", "R", 2687), ("M", "R", 3358), ("_T", "R", 6045),
        ("F", "_T", 7008), ("M", "_T", 8568), ("_T", "_T", 15576),
    )  # fmt: skip
    rows = [f"Effectif,2023,MA,{sex},{place},{n},NUMBER,A,HCP" for sex, place, n in figures]
    data = gbi.Dataset.of(frame_of(head, rows), "statistics")
    path = tmp_path / "effectifs.csv"
    gbi.write(data, path)
    return path


def frame_of(head: str, rows: list[str]):  # type: ignore[no-untyped-def]
    import io

    import pandas as pd

    return pd.read_csv(io.StringIO("\n".join([head, *rows])), dtype={"TIME_PERIOD": str})


def test_the_list_is_the_same_with_and_without_its_name(gbi_command: Command) -> None:
    plain, named = gbi_command("rules"), gbi_command("rules", "list")
    assert plain == named
    assert (plain.code, plain.err) == (0, "")
    assert len(plain.out.splitlines()) == len(gbi.rules())
    assert all(line.count("\t") == 3 for line in plain.out.splitlines())


def test_the_list_holds_own_rules_and_is_json_on_demand(gbi_command: Command, own: Path) -> None:
    listed = gbi_command("rules", "list", "--rules", own, "--json")
    assert listed.code == 0
    codes = {row["CODE"] for row in json.loads(listed.out)}
    assert "MEF-A901" in codes
    assert codes > set(gbi.rules()["CODE"])


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_show_is_what_explain_says(gbi_command: Command, lang: str) -> None:
    shown = gbi_command("rules", "show", "A003", "--lang", lang)
    assert shown == gbi_command("explain", "A003", "--lang", lang)
    assert shown.out.startswith("GBI-A003")
    both = gbi_command("rules", "show", "a003", "GBI-A005", "--lang", lang)
    assert "GBI-A005" in both.out
    assert shown.out.strip() in both.out


def test_show_as_json_and_what_does_not_exist(gbi_command: Command, own: Path) -> None:
    shown = gbi_command("rules", "show", "MEF-A901", "--rules", own, "--json")
    assert [d["code"] for d in json.loads(shown.out)] == ["MEF-A901"]
    assert gbi_command("rules", "show").code == 2
    wrong = gbi_command("rules", "show", "A0003")
    assert wrong.code == 2
    assert "GBI-E004" in wrong.err
    assert "GBI-A003" in wrong.err


@pytest.mark.slow
def test_docs_writes_a_page_for_every_rule(gbi_command: Command, own: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    ended = gbi_command("rules", "docs", "--out", out, "--rules", own, "--lang", "en")
    assert (ended.code, ended.err) == (0, "")
    written = {p.stem for p in out.glob("*.html")}
    assert written == {*gbi.rules()["CODE"], "MEF-A901", "index"}
    assert f"Pages written: {len(written) - 1}" in ended.out
    assert (out / "rules.json").is_file()


def test_docs_needs_a_folder_and_no_further_words(gbi_command: Command, tmp_path: Path) -> None:
    missing = gbi_command("rules", "docs", "--lang", "en")
    assert missing.code == 2
    assert "--out" in missing.err
    assert gbi_command("rules", "docs", "A003", "--out", tmp_path / "x").code == 2
    assert not (tmp_path / "x").exists()


def test_lint_tells_faults_with_their_place_and_ends_with_1(
    gbi_command: Command, own: Path
) -> None:
    write(own, "MEF-A902", needs=["OBS_VALU"])
    ended = gbi_command("rules", "lint", own, "--lang", "en")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert any(x.startswith("MEF-A902.yaml:") and "OBS_VALUE" in x for x in lines)
    told = gbi_command("rules", "lint", own, "--json")
    assert told.code == 1
    faults = json.loads(told.out)
    assert {"column_near"} <= {f["kind"] for f in faults}
    assert all(f["line"] >= 1 and f["message"] for f in faults)
    assert lines[-1] == f"To mend: {len(faults)}"


def test_lint_of_nothing_is_sound_and_of_no_folder_refused(
    gbi_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    sound = gbi_command("rules", "lint", tmp_path / "empty", "--lang", "en")
    assert (sound.code, sound.out.strip()) == (0, "Nothing to mend. Rule files: 0")
    absent = gbi_command("rules", "lint", tmp_path / "absent")
    assert absent.code == 2
    assert "GBI-E060" in absent.err
    assert gbi_command("rules", "lint", tmp_path, tmp_path).code == 2


def test_diff_names_what_changed(gbi_command: Command, own: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    write(new, tolerance=5)
    write(new, "MEF-A903")
    ended = gbi_command("rules", "diff", own, new, "--lang", "en")
    assert (ended.code, ended.err) == (0, "")
    assert 'MEF-A901  computation  tolerance: "printed_unit" → 5' in ended.out
    assert "MEF-A903  added" in ended.out
    assert ended.out.splitlines()[-1] == "Rules added: 1; removed: 0; changed: 1"
    plain = json.loads(gbi_command("rules", "diff", own, new, "--json").out)
    assert {(c["code"], c["aspect"]) for c in plain} == {
        ("MEF-A901", "params"), ("MEF-A903", "added"),
    }  # fmt: skip
    same = gbi_command("rules", "diff", own, own, "--lang", "en")
    assert same.out.strip() == "The two rule sets are the same."
    assert gbi_command("rules", "diff", own).code == 2


def test_a_word_that_is_no_action_is_refused(gbi_command: Command) -> None:
    ended = gbi_command("rules", "lst")
    assert ended.code == 2
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("lang", "kind"),
    [
        ("fr", "deux chiffres intervertis"),
        ("en", "two digits in each other's place"),
        ("ar", "رقمان متبادلان"),
    ],
)
def test_suggest_names_the_cell_and_the_value(
    gbi_command: Command, filing: Path, lang: str, kind: str
) -> None:
    before = filing.read_bytes()
    ended = gbi_command("suggest", filing, "--lang", lang)
    assert (ended.code, ended.err) == (0, "")
    plain = ended.out.replace("\u2066", "").replace("\u2069", "").replace("\u202f", "")
    assert "GBI-A003" in plain
    assert kind in plain
    assert "4321" in plain.replace(",", "").replace(".", "").replace("\u00a0", "")
    assert filing.read_bytes() == before


def test_suggest_as_json_and_where_nothing_is_to_propose(
    gbi_command: Command, filing: Path
) -> None:
    (found,) = json.loads(gbi_command("suggest", filing, "--json").out)
    assert (found["unique"], found["changes"][0]["proposed"]) == (True, 4321.0)
    assert found["changes"][0]["cell"]["file"] == filing.name
    filing.write_text(filing.read_text("utf-8-sig").replace("4231", "4321"), "utf-8")
    ended = gbi_command("suggest", filing, "--lang", "en")
    assert ended.code == 0
    assert ended.out.startswith("No proposal")
    assert gbi_command("suggest", filing.with_name("absent.csv")).code == 2
