"""SDMX-ML: every observation a row, whatever carries it; hostile XML ends before it is read."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.ingest.grid import Grid
from gbi.ingest.safety import LIMITS, Limits
from gbi.ingest.sdmx import open_sdmx

pytest.importorskip("sdmx")

SPACE = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
HEADER = """<m:Header><m:ID>X</m:ID><m:Test>false</m:Test><m:Prepared>2025-01-01</m:Prepared>
<m:Sender id="HCP"/><m:Structure structureID="S" dimensionAtObservation="{at}" {more}><c:Structure>
{structure}</c:Structure></m:Structure></m:Header>"""
REF = '<Ref agencyID="HCP" id="EMPLOI" version="1.0"/>'
GENERIC = (
    f'<m:GenericData xmlns:m="{SPACE}/message" xmlns:g="{SPACE}/data/generic"'
    f' xmlns:c="{SPACE}/common">'
    + HEADER.format(at="TIME_PERIOD", more="", structure=REF)
    + """<m:DataSet structureRef="S"><g:Series><g:SeriesKey><g:Value id="FREQ" value="A"/>
<g:Value id="SEX" value="F"/></g:SeriesKey><g:Attributes><g:Value id="TITLE" value="Santé"/>
</g:Attributes>{obs}</g:Series></m:DataSet></m:GenericData>"""
)
OBS = """<g:Obs><g:ObsDimension value="2024"/><g:ObsValue value="12.50"/><g:Attributes>
<g:Value id="OBS_STATUS" value="P"/></g:Attributes></g:Obs><g:Obs><g:ObsDimension value="2025"/>
<g:Attributes><g:Value id="OBS_STATUS" value="M"/></g:Attributes></g:Obs>"""
SPECIFIC = (
    f'<m:StructureSpecificData xmlns:m="{SPACE}/message" xmlns:c="{SPACE}/common"'
    f' xmlns:d="{SPACE}/data/structurespecific" xmlns:n="urn:x"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    + HEADER.format(at="{at}", more='namespace="urn:x"', structure=REF)
    + '<m:DataSet d:structureRef="S" d:action="Replace">{data}</m:DataSet>'
    "</m:StructureSpecificData>"
)
FLAT = (
    '<Obs FREQ="A" SEX="F" TIME_PERIOD="2024" OBS_VALUE="1" OBS_STATUS="A"/>'
    '<Obs FREQ="A" SEX="M" TIME_PERIOD="2024" OBS_STATUS="M"/>'
)
SERIES = (
    '<Series FREQ="A" SEX="F"><Obs TIME_PERIOD="2024" OBS_VALUE="1" OBS_STATUS="A"/></Series>'
    '<Series FREQ="A" SEX="M"><Obs TIME_PERIOD="2024" OBS_STATUS="M"/></Series>'
)
GROUP = '<Group xsi:type="n:Sibling" SEX="F" UNIT_MEASURE="PC"/>'
COLUMNS = ["FREQ", "SEX", "OBS_STATUS", "TIME_PERIOD", "OBS_VALUE"]
ROWS = [["A", "F", "A", "2024", "1"], ["A", "M", "M", "2024", ""]]
THREE = (
    SPECIFIC.replace("v2_1", "v3_0")
    .replace(REF, "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=HCP:EMPLOI(1.0.0)")
    .format(at="{at}", data="{data}")
)


def grid(tmp_path: Path, content: str | bytes, limits: Limits = LIMITS) -> Grid:
    path = tmp_path / "a.xml"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    (found,) = open_sdmx(path, "a.xml", limits).grids
    return found


def refused(tmp_path: Path, content: str | bytes, limits: Limits = LIMITS) -> GbiError:
    with pytest.raises(GbiError) as raised:
        grid(tmp_path, content, limits)
    assert (raised.value.exit_code, raised.value.where) == (3, "a.xml")
    return raised.value


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
def test_generic_data(tmp_path: Path, encoding: str, capfd: pytest.CaptureFixture[str]) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + GENERIC.format(obs=OBS)
    found = grid(tmp_path, text.encode(encoding))
    assert (found.sheet, found.cell(1, 4).a1) == ("", "E2")
    assert found.rows == [
        ["FREQ", "SEX", "OBS_STATUS", "TITLE", "TIME_PERIOD", "OBS_VALUE"],
        ["A", "F", "P", "Santé", "2024", "12.50"],
        ["A", "F", "M", "Santé", "2025", ""],
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("form", [SPECIFIC, THREE], ids=["2.1", "3.0"])
@pytest.mark.parametrize(("at", "data"), [("AllDimensions", FLAT), ("TIME_PERIOD", SERIES)])
def test_structure_specific_data_need_no_structure(
    tmp_path: Path,
    form: str,
    at: str,
    data: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = grid(tmp_path, form.format(at=at, data=data))
    order = [found.rows[0].index(c) for c in COLUMNS]
    assert [[r[i] for i in order] for r in found.rows] == [COLUMNS, *ROWS]
    assert found.rows[0][-2:] == COLUMNS[-2:]
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])


def test_an_attribute_of_a_group_reaches_its_observations(tmp_path: Path) -> None:
    found = grid(tmp_path, SPECIFIC.format(at="TIME_PERIOD", data=GROUP + SERIES))
    column = found.rows[0].index("UNIT_MEASURE")
    assert [r[column] for r in found.rows[1:]] == ["PC", ""]


def test_the_nearest_attribute_counts(tmp_path: Path) -> None:
    own = '<g:Obs><g:ObsDimension value="2024"/><g:ObsValue value="1"/><g:Attributes>'
    own += '<g:Value id="TITLE" value="own"/></g:Attributes></g:Obs>'
    found = grid(tmp_path, GENERIC.format(obs=own))
    assert found.rows[1][found.rows[0].index("TITLE")] == "own"


def test_a_message_without_observations_is_a_header(tmp_path: Path) -> None:
    assert grid(tmp_path, GENERIC.format(obs="")).rows == [["OBS_VALUE"]]


# --- hostile and foreign files ---

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = [
    LAUGHS + "]>" + GENERIC.format(obs="&i;"),
    '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + GENERIC.format(obs="&f;"),
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + GENERIC.format(obs=OBS),
    "<!DOCTYPE\nx>" + GENERIC.format(obs=OBS),
    "<!-- " + "x" * 200_000 + " --><!DOCTYPE x>" + GENERIC.format(obs=OBS),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_document_type_is_refused_before_it_is_read(
    tmp_path: Path, text: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdmx.read_sdmx", None)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    error = refused(tmp_path, (mark + text).encode(encoding))
    assert (error.code, error.got) == ("GBI-E063", "DOCTYPE")


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "utf-32"])
def test_an_encoding_in_which_a_document_type_could_hide_is_refused(
    tmp_path: Path, encoding: str
) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + HOSTILE[3]
    assert refused(tmp_path, text.encode(encoding)).code in ("GBI-E061", "GBI-E063")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "GBI-E061"),
        ("a,b\n1,2\n", "GBI-E061"),
        (b"\x00\xff" * 50, "GBI-E061"),
        (GENERIC.format(obs=OBS)[:-40], "GBI-E061"),
        (GENERIC.format(obs="<g:Obs></g:Series>"), "GBI-E061"),
        (GENERIC.format(obs="<a>" * 2_000 + "</a>" * 2_000), "GBI-E066"),
        ("<html><body/></html>", "GBI-E066"),
        (f'<m:Structure xmlns:m="{SPACE}/message"/>', "GBI-E066"),
        (f'<m:GenericData xmlns:m="{SPACE.replace("2_1", "2_0")}/message"/>', "GBI-E066"),
        (GENERIC.format(obs="<g:Unknown/>"), "GBI-E066"),
        (
            GENERIC.format(obs=OBS)
            .replace("m:Structure ", "m:Other ")
            .replace("m:Structure>", "m:Other>"),
            "GBI-E066",
        ),
        (
            GENERIC.format(obs=OBS.replace("<g:ObsV", '<g:ObsDimension value="MA"/><g:ObsV')),
            "GBI-E066",
        ),
    ],
)
def test_what_is_no_data_message(
    tmp_path: Path, content: str | bytes, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    error = refused(tmp_path, content)
    assert (error.code, bool(error.got)) == (code, True)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    schema = 'xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd"'
    text = SPECIFIC.format(at="AllDimensions", data=FLAT)
    text = text.replace("><m:Header", f" {schema}><m:Header", 1)
    assert schema in text
    assert len(grid(tmp_path, text).rows) == 3


def test_limits(tmp_path: Path) -> None:
    text = GENERIC.format(obs=OBS)
    assert len(grid(tmp_path, text, Limits(cells=12)).rows) == 3
    for limits in (Limits(cells=11), Limits(expanded=50)):
        assert refused(tmp_path, text, limits).code == "GBI-E063"
    for data in ("<Obs\n/>" * 300_001, "<Obs/>" * 5_000 + "<Group/>" * 5_000):
        for encoding in ("utf-8", "utf-16"):
            content = SPECIFIC.format(at="AllDimensions", data=data).encode(encoding)
            assert refused(tmp_path, content).code == "GBI-E063"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40,
          deadline=None)  # fmt: skip
@given(data=st.data())
def test_a_changed_message_ends_in_a_grid_or_an_error_of_ours(
    tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(GENERIC.format(obs=OBS).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(1, 30))] = data.draw(st.binary(max_size=2))
    try:
        grid(tmp_path, bytes(content))
    except GbiError as error:
        code = error.code
    else:
        code = "GBI-E061"
    assert code in ("GBI-E061", "GBI-E066")


# --- real files ---


def test_the_births_and_deaths_of_belgium(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "real" / "sdmx_estat_demography"
    (found,) = open_sdmx(folder / "demography-xs.xml", "demography-xs.xml").grids
    header, *rows = found.rows
    records = [dict(zip(header, r, strict=True)) for r in rows]
    assert len(records) == 60
    belgium = {
        (r["DEMO"], r["SEX"]): r["OBS_VALUE"]
        for r in records
        if (r["COUNTRY"], r["TIME_PERIOD"]) == ("BE", "2007")
    }
    births, deaths = (
        {s: int(v) for (m, s), v in belgium.items() if m == wanted}
        for wanted in ("LBIRTHST", "DEATHST")
    )
    assert births == {"T": 124_095, "M": 63_481, "F": 60_614}
    assert deaths == {"T": 100_658, "M": 49_804, "F": 50_854}
    missing = [r for r in records if r["OBS_VALUE"] == ""]
    assert {r["OBS_STATUS"] for r in missing} == {"M"}
    with pytest.raises(GbiError) as raised:
        open_sdmx(folder / "demography-structure.xml", "s.xml")
    assert raised.value.code == "GBI-E066"


def test_dimensions_told_by_their_place_are_refused(shared_dir: Path) -> None:
    path = shared_dir / "data" / "real" / "eurostat_paygap_csv" / "paygap.xml"
    with pytest.raises(GbiError) as raised:
        open_sdmx(path, "paygap.xml")
    assert raised.value.code == "GBI-E066"
    assert raised.value.expected == "one ObsDimension in each Obs"
