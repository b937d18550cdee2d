"""JUnit: a parser's view of it, and what fails, is skipped or is only told."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from gbi.report.junit import junit_xml

if TYPE_CHECKING:
    from gbi.validation import ValidationReport

# Element → its children, in the order that the Surefire schema and Jenkins read.
CHILDREN = {
    "testsuites": ("testsuite",),
    "testsuite": ("properties", "testcase"),
    "properties": ("property",),
    "testcase": ("skipped", "error", "failure", "system-out"),
}
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "time", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "classname", "time"},
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
    "properties": set(),
    "system-out": set(),
}


@pytest.fixture(scope="module")
def root(report: ValidationReport) -> ET.Element:
    """The parsed report in French."""
    return ET.fromstring(junit_xml(report, lang="fr"))


def cases(root: ET.Element, file: str, code: str) -> list[ET.Element]:
    return [
        c
        for c in root.iter("testcase")
        if c.get("classname") == file and str(c.get("name")).startswith(code)
    ]


def test_the_structure_is_the_one_that_servers_read(root: ET.Element) -> None:
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        order = [CHILDREN.get(element.tag, ()).index(child.tag) for child in element]
        assert order == sorted(order)
    for suite in root.iter("testsuite"):
        names = [c.get("name") for c in suite.iter("testcase")]
        assert len(names) == len(set(names)) == int(str(suite.get("tests")))
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(str(suite.get(plural))) == len(suite.findall(f"testcase/{tag}"))
    assert len({s.get("name") for s in root}) == len(root)


def test_a_blocking_finding_fails_its_case_and_no_other_does(
    report: ValidationReport, root: ET.Element
) -> None:
    wanted = {
        (f.file, f.code) for f in report.findings if f.severity == "blocking" and f.status == "open"
    } - {(f.name, "GBI-A007") for f in report.files}
    failed = {
        (str(c.get("classname")), str(c.get("name")).split()[0])
        for c in root.iter("testcase")
        if c.find("failure") is not None
    }
    assert failed == wanted
    assert wanted


def test_every_stored_finding_is_told_once(report: ValidationReport, root: ET.Element) -> None:
    text = "\n".join(e.text or "" for e in root.iter() if e.tag in ("failure", "system-out"))
    counts = {f.id: text.count(f"({f.id})") for f in report.findings}
    assert set(counts.values()) == {1}


def test_a_warning_is_told_and_counted_but_fails_nothing(root: ET.Element) -> None:
    (case,) = cases(root, "statistiques.csv", "GBI-A003")
    assert case.find("failure") is None
    assert "Avertissement" in str(case.findtext("system-out"))
    values = {p.get("name"): p.get("value") for p in root.iter("property")}
    assert values["waived.GBI-A003"] == "2"
    assert int(str(values["warning.GBI-A003"])) > 0


def test_what_could_not_run_is_skipped_and_what_broke_off_is_an_error(root: ET.Element) -> None:
    (skipped,) = cases(root, "statistiques.csv", "GBI-P009")
    assert "SEX" in str(skipped.find("skipped").get("message"))  # type: ignore[union-attr]
    (broken,) = cases(root, "chaines.xlsx", "GBI-A007")
    assert "ZeroDivisionError" in str(broken.findtext("error"))


def test_characters_that_xml_cannot_hold_are_left_out(report: ValidationReport) -> None:
    first = report.findings[0]
    message = {x: {**first.message[x], "seen": "a\x00\x0b\ud800b\x1f\uffff"} for x in first.message}
    odd = dataclasses.replace(report)
    odd.__dict__["findings"] = (dataclasses.replace(first, message=message),)
    text = junit_xml(odd, lang="fr")
    assert "ab" in "".join(ET.fromstring(text).itertext())
    assert text.encode("utf-8")


def test_data_in_memory_have_the_suite_of_the_submission(report: ValidationReport) -> None:
    from gbi.validation import validate

    frame = report.datasets["statistics"].frame
    root = ET.fromstring(junit_xml(validate({"statistics": frame}), lang="en"))
    assert {c.get("classname") for c in root.iter("testcase")} == {"submission"}
    assert cases(root, "submission", "GBI-A003")
