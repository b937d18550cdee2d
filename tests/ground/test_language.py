from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.language import (
    fold,
    format_number,
    has_text,
    language,
    resolve_language,
    text,
    typeset,
)


def test_french_amounts_have_narrow_no_break_spaces() -> None:
    assert format_number(449_497_505_000, "fr") == "449\u202f497\u202f505\u202f000"
    assert format_number(1234567.891, "fr", decimals=2) == "1\u202f234\u202f567,89"


def test_arabic_of_morocco_writes_western_digits() -> None:
    assert format_number(1234567.89, "ar", decimals=2) == "1.234.567,89"


def test_english() -> None:
    assert format_number(-1234.5, "en") == "\u22121,234.5"


def test_a_missing_number_is_a_dash_not_zero() -> None:
    assert format_number(None, "fr") == format_number(float("nan"), "fr") == "–"


def test_float_noise_is_not_shown() -> None:
    assert format_number(0.1 + 0.2, "en") == "0.3"


def test_the_order_of_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GBI_LANG", "en")
    assert resolve_language() == "en"
    with language("ar"):
        assert resolve_language() == "ar"
        assert resolve_language("fr") == "fr"
    assert resolve_language() == "en"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "ar_MA.UTF-8"}, "ar"),
        ({"LANG": "ar_MA.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({"LANG": "POSIX"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "fr"),
        ({}, "fr"),
    ],
)
def test_the_locale_decides_before_french(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("GBI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("gbi.language.sys.platform", "linux")
    assert resolve_language() == expected


def test_windows_names_its_locale_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GBI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("gbi.language.sys.platform", "win32")
    monkeypatch.setattr("gbi.language.locale.getlocale", lambda: ("Arabic_Morocco", "1256"))
    assert resolve_language() == "ar"


def test_another_language_is_refused() -> None:
    with pytest.raises(GbiError) as caught:
        resolve_language("de")
    assert caught.value.code == "GBI-E010"
    assert "de" in caught.value.message("fr")
    assert "fr, ar, en" in caught.value.message("en")


def test_unknown_text_is_a_key_error() -> None:
    assert not has_text("errors.GBI-E999.title")
    assert not has_text("nofile.title")
    with pytest.raises(KeyError):
        text("errors.GBI-E999.title")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MINISTÈRE  DE L’EAU", "Ministere de l'eau"),
        ("Fès - Meknès", "fes-meknes"),
        ("Tanger–Tétouan", "tanger-tetouan"),
        ("mise en œuvre", "Mise en oeuvre"),
    ],
)
def test_fold_forgets_what_typing_varies(written: str, meant: str) -> None:
    assert fold(written) == fold(meant)


@given(st.text())
def test_fold_is_idempotent(label: str) -> None:
    assert fold(fold(label)) == fold(label)


def test_french_does_not_break_a_line_before_a_double_mark() -> None:
    nbsp = "\u00a0"
    assert typeset("« a » : b ; c", "fr") == f"«{nbsp}a{nbsp}»{nbsp}: b{nbsp}; c"
    assert typeset("a : b", "en") == "a : b"
