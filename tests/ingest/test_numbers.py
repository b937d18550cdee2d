"""Numbers as people write them: what has one reading is read, what has two is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.ingest.numbers import Number, Style, Unreadable, decimals_of, mark_of, read_number
from gbi.language import format_number

FRENCH = Style(",", (" ", "."))
PLAIN = Style(".", ())


@pytest.mark.parametrize(
    ("written", "value", "decimals", "mark"),
    [
        ("49,39 %", 49.39, 2, "PT"),
        ("49,39%", 49.39, 2, "PT"),
        ("159\u00a0%", 159.0, 0, "PT"),
        ("26\u202f292\u202f000", 26292000.0, 0, None),
        ("26\u00a0292\u00a0000", 26292000.0, 0, None),
        ("26 292 000", 26292000.0, 0, None),
        ("31.779", 31779.0, 0, None),
        ("1 234,50", 1234.5, 2, None),
        ("-0,7", -0.7, 1, None),
        ("\u2212 12", -12.0, 0, None),
        ("٤٩٫٥ ٪", 49.5, 1, "PT"),
        ("٢٦٬٢٩٢", 26292.0, 0, None),
        ("3 ‰", 3.0, 0, "PM"),
        (321.33, 321.33, 2, None),
        (2.0, 2.0, 0, None),
        (0.1 + 0.2, 0.1 + 0.2, 1, None),
        (1e-7, 1e-7, 7, None),
    ],
)
def test_what_is_read(written: object, value: float, decimals: int, mark: str | None) -> None:
    assert read_number(written, FRENCH) == Number(value, decimals, mark)


@pytest.mark.parametrize(
    "written",
    ["", "abc", "12 à 15", "12O", "1,2,3", "1 23", "1.23", "12.5", "#REF!", "--5", "5 MDH", True,
     math.nan, math.inf, "1234 567"],
)  # fmt: skip
def test_what_is_not_guessed(written: object) -> None:
    assert read_number(written, FRENCH) == Unreadable()


def test_a_lone_comma_with_three_digits_has_two_readings() -> None:
    assert read_number("1,234", FRENCH) == Unreadable(("1234", "1.234"))
    assert read_number("0,234", FRENCH) == Number(0.234, 3)
    assert read_number("1,2345", FRENCH) == Number(1.2345, 4)
    assert read_number("1 000,234", FRENCH) == Number(1000.234, 3)


def test_the_arabic_decimal_mark_has_one_reading_in_every_style() -> None:
    """A thousandfold error otherwise, where a profile has commas between thousands."""
    english = Style(".", (",", " "))
    assert read_number("1,234", english) == Number(1234.0, 0)
    for style in (FRENCH, PLAIN, english):
        assert read_number("١٫٢٣٤", style) == Number(1.234, 3)
        assert read_number("٤٩٫٥", style) == Number(49.5, 1)
    assert read_number("١٬٢٣٤٫٥", english) == Number(1234.5, 1)


def test_a_mark_is_used_only_where_the_profile_names_it() -> None:
    assert read_number("1.5", PLAIN) == Number(1.5, 1)
    assert read_number("1 500", PLAIN) == Unreadable()
    assert read_number("1,5", PLAIN) == Unreadable()


@given(st.integers(-(10**12), 10**12), st.integers(0, 2), st.sampled_from(["fr", "ar"]))
def test_what_gbi_writes_it_reads(units: int, decimals: int, lang: str) -> None:
    value = units / 10**decimals
    shown = format_number(value, lang, decimals=decimals)
    read = read_number(shown, Style(",", (" ", ".")))
    assert isinstance(read, Number)
    assert read.value == pytest.approx(value)


@given(st.integers(0, 6), st.integers(-(10**6), 10**6))
def test_decimals_are_the_fewest_that_hold_the_number(places: int, units: int) -> None:
    value = units / 10**places
    needed = decimals_of(value)
    assert needed <= places
    assert round(value, needed) == value


def test_marks() -> None:
    assert [mark_of(t) for t in ("5 %", "5 ‰", "5 ٪", "5", "")] == ["PT", "PM", "PT", None, None]
