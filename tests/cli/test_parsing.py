"""What can be typed, and how a slip is answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gbi.cli.parsing import COMMANDS, FAIL_ON, UsageError, help_text, parse, take_language
from gbi.findings import SEVERITIES
from gbi.language import LANGUAGES, has_text, language

ARABIC = re.compile(r"[\u0600-\u06ff]")


@pytest.mark.parametrize(
    ("words", "lang", "rest"),
    [
        (["--lang", "ar", "run", "in"], "ar", ["run", "in"]),
        (["run", "in", "--lang", "ar"], "ar", ["run", "in"]),
        (["run", "--lang=en", "in"], "en", ["run", "in"]),
        (["run", "in"], None, ["run", "in"]),
        (["validate", "--", "--lang", "x"], None, ["validate", "--", "--lang", "x"]),
    ],
)
def test_the_language_stands_anywhere(words: list[str], lang: str | None, rest: list[str]) -> None:
    assert take_language(words) == (lang, rest)


def test_a_language_must_follow() -> None:
    with pytest.raises(UsageError):
        take_language(["run", "--lang"])


def test_options_may_stand_between_paths() -> None:
    args = parse(["validate", "a.xlsx", "--json", "f.json", "b.xlsx", "--fail-on", "warning"])
    assert args.paths == ["a.xlsx", "b.xlsx"]
    assert (args.json, args.fail_on) == ("f.json", "warning")


def test_a_path_may_start_with_a_dash() -> None:
    assert parse(["validate", "--", "-a.xlsx"]).paths == ["-a.xlsx"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["rnu"], "command"),
        (["run"], "missing"),
        (["run", "in"], "missing"),
        (["run", "in", "--out"], "value"),
        (["run", "in", "out", "--out", "o"], "argument"),
        (["run", "in", "--ot", "o"], "argument"),
        (["run", "in", "--out", "o", "--fail-on", "error"], "choice"),
        (["validate"], "missing"),
        (["rules", "--json=x"], "value"),
        (["explain"], "missing"),
        (["doctor", "now"], "argument"),
    ],
)
def test_a_slip_is_named(words: list[str], fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert caught.value.fault == fault
    for lang in LANGUAGES:
        with language(lang):
            assert "gbi" in caught.value.message()


def test_a_near_miss_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["validat", "x"])
    with language("en"):
        assert "Perhaps: validate" in caught.value.message()


def test_severities_are_those_of_findings() -> None:
    assert (*SEVERITIES, "never") == FAIL_ON


def test_every_argument_has_its_words() -> None:
    missing = [
        key
        for command, arguments in COMMANDS.items()
        for key in (
            f"cli.commands.{command}.title",
            *(f"cli.commands.{command}.{a.name.lstrip('-').replace('-', '_')}" for a in arguments),
        )
        if not has_text(key)
    ]
    assert missing == []


@pytest.mark.parametrize("topic", [None, *COMMANDS])
def test_help_is_in_the_users_language(topic: str | None) -> None:
    shown = {}
    for lang in LANGUAGES:
        with language(lang):
            shown[lang] = help_text(topic)
    assert len(set(shown.values())) == 3
    assert ARABIC.search(shown["ar"])
    assert not ARABIC.search(shown["fr"] + shown["en"])
    assert not re.search(r"usage:|optional arguments|show this help", "".join(shown.values()))


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["run", "--help"], ["run", "x", "-h"]])
def test_help_ends_well(gbi_command: Callable[..., Any], words: list[str]) -> None:
    ended = gbi_command(*words)
    assert ended.code == 0
    assert "gbi" in ended.out
    assert ended.err == ""


def test_usage_errors_end_with_2_and_say_it_in_the_language(
    gbi_command: Callable[..., Any],
) -> None:
    ended = gbi_command("--lang", "ar", "rnu")
    assert (ended.code, ended.out) == (2, "")
    assert ARABIC.search(ended.err)
    assert gbi_command("rnu", "--lang", "fr").err.startswith("gbi: commande inconnue\u00a0: rnu")


def test_an_unknown_language_ends_with_2(
    gbi_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = gbi_command("doctor", "--lang", "de")
    assert ended.code == 2
    assert "GBI-E010" in ended.err
    monkeypatch.setenv("GBI_LANG", "xx")
    ended = gbi_command("doctor")
    assert ended.code == 2
    assert "Langue inconnue" in ended.err
