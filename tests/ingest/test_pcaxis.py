"""PC-Axis: every cell of the cube is a row, with its codes and labels."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gbi.errors import GbiError
from gbi.ingest.grid import Opened
from gbi.ingest.pcaxis import open_pcaxis
from gbi.ingest.safety import LIMITS, Limits

pytest.importorskip("pyaxis")

PX = """CHARSET="ANSI";
AXIS-VERSION="2013";
LANGUAGE="fr";
TITLE="Population; par sexe = et année";
STUB="Sexe";
HEADING="Année";
VALUES("Sexe")="Femmes","Hommes",
"Non déclaré; autre";
CODES("Sexe")="F","M","U";
VALUES("Année")="2024","2025";
NOTE="Une note; avec = un signe";
DATA=
9007199254740993 2.50
3 ".."
"-" 6
;
"""
ROWS = [
    ["Sexe", "Sexe_label", "Année", "Année_label", "value"],
    ["F", "Femmes", "2024", "2024", "9007199254740993"],
    ["F", "Femmes", "2025", "2025", "2.50"],
    ["M", "Hommes", "2024", "2024", "3"],
    ["M", "Hommes", "2025", "2025", ".."],
    ["U", "Non déclaré; autre", "2024", "2024", "-"],
    ["U", "Non déclaré; autre", "2025", "2025", "6"],
]


def opened(tmp_path: Path, content: str | bytes, limits: Limits = LIMITS) -> Opened:
    path = tmp_path / "a.px"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return open_pcaxis(path, "a.px", limits)


def refused(tmp_path: Path, content: str | bytes, limits: Limits = LIMITS) -> GbiError:
    with pytest.raises(GbiError) as raised:
        opened(tmp_path, content, limits)
    assert raised.value.exit_code == 3
    return raised.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_cube_becomes_rows(
    tmp_path: Path, encoding: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = list(logging.root.handlers)
    found = opened(tmp_path, PX.encode(encoding))
    assert (found.grids[0].sheet, found.grids[0].rows) == ("", ROWS)
    assert [f.detail for f in found.flags] == (["cp1252"] if encoding == "cp1252" else [])
    assert capfd.readouterr() == ("", "")
    assert logging.root.handlers == before


def test_a_file_in_two_languages_is_read_in_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    both = (
        PX.replace('LANGUAGE="fr";', 'LANGUAGE="fr";\nLANGUAGES="fr","ar";')
        .replace('STUB="Sexe";', 'STUB="Sexe";\nSTUB[ar]="الجنس";')
        .replace('HEADING="Année";', 'HEADING="Année";\nHEADING[ar]="السنة";')
        .replace("NOTE=", 'VALUES[ar]("السنة")="2024","2025";\nNOTE=')
    )
    assert opened(tmp_path, both).grids[0].rows == ROWS
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PX.replace("2.50", ""), "GBI-E061"),
        (PX.replace("2.50", "2.50 7"), "GBI-E061"),
        (PX[: PX.index("3 ")], "GBI-E061"),
        (PX.replace('"F","M","U"', '"F","M"'), "GBI-E061"),
        (PX.replace('VALUES("Sexe")', 'VALUES("Genre")'), "GBI-E061"),
        (PX.replace("Une note", "DATA="), "GBI-E061"),
        (PX.replace('LANGUAGE="fr"', 'LANGUAGES="fr"'), "GBI-E061"),
        ("a,b\n1,2\n", "GBI-E066"),
        ("", "GBI-E066"),
        (PX.encode() + "é".encode("cp1252"), "GBI-E064"),
    ],
)
def test_what_is_no_cube_is_refused(tmp_path: Path, content: str | bytes, code: str) -> None:
    assert refused(tmp_path, content).code == code


def test_limits(tmp_path: Path) -> None:
    assert len(opened(tmp_path, PX, Limits(cells=30)).grids[0].rows) == 7
    for limits in (Limits(cells=29), Limits(archive=100)):
        assert refused(tmp_path, PX, limits).code == "GBI-E063"


def test_a_cube_is_counted_before_it_is_laid_out(tmp_path: Path) -> None:
    names = [f"v{i}" for i in range(20)]
    values = ",".join(f'"{i}"' for i in range(100))
    bomb = "STUB=" + ",".join(f'"{n}"' for n in names) + ";\n"
    bomb += "".join(f'VALUES("{n}")={values};\n' for n in names) + "DATA=\n1 2 3;\n"
    assert refused(tmp_path, bomb).code == "GBI-E061"
