"""What can be typed: the commands, their arguments, and how a slip is answered.

argparse only splits the words. Usage, help and the messages about a slip are written here from
one table of commands, because argparse's own are in English.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from gbi.cli.console import columns
from gbi.language import text
from gbi.resources import suggest

FAIL_ON = ("blocking", "warning", "info", "never")  # severities; not imported: help loads no pandas
RULE_ACTIONS = ("list", "show", "docs", "lint", "diff")
_HELP = ("-h", "--help")
_LANG = "--lang"


class UsageError(Exception):
    """A command line that can't be followed: which fault, and where to read on.

    Parameters
    ----------
    fault
        The entry of ``cli.faults``.
    command
        The command that was being read, if one was.
    **params
        The placeholders of the entry.
    """

    def __init__(self, fault: str, command: str | None = None, **params: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.command = command
        self.params = params

    def message(self) -> str:
        """Return the fault, what may have been meant, and the help to read."""
        near = self.params.get("near")
        lines = [f"gbi: {text(f'cli.faults.{self.fault}', **self.params)}"]
        if near:
            lines.append(f"  {text('cli.faults.near', near=near)}")
        asked = f"gbi {self.command} --help" if self.command else "gbi --help"
        lines.append(f"  {text('cli.faults.help', command=asked)}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Argument:
    """A positional argument or an option.

    Attributes
    ----------
    name
        ``folder`` (positional) or ``--out`` (option).
    metavar
        The entry of ``cli.metavars`` that stands for the value; empty for a switch.
    required, many
        Whether it must be there, and whether it may be repeated (an option: given several times).
    choices
        The words that are allowed.
    """

    name: str
    metavar: str = ""
    required: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()

    @property
    def attribute(self) -> str:
        """The argument's name in code: ``fail_on`` for ``--fail-on``."""
        return self.name.lstrip("-").replace("-", "_")

    def written(self) -> str:
        """Return the argument as it is typed, with a word for its value."""
        value = text(f"cli.metavars.{self.metavar}") if self.metavar else ""
        shown = f"{self.name} {value}".rstrip() if self.name.startswith("-") else value
        return f"{shown}…" if self.many else shown


_SOURCE = Argument("folder", "folder", required=True)
_FAIL_ON = Argument("--fail-on", "severity", choices=FAIL_ON)
_READING = (Argument("--profile", "profile", many=True), Argument("--limit", "limit", many=True))
COMMANDS: dict[str, tuple[Argument, ...]] = {
    "run": (_SOURCE, Argument("--out", "folder", required=True), *_READING, _FAIL_ON),
    "demo": (Argument("--out", "folder"),),
    "validate": (
        Argument("paths", "path", required=True, many=True),
        Argument("--out", "folder"),
        Argument("--format", "formats", many=True),
        Argument("--annotate"),
        Argument("--receipt"),
        Argument("--json", "file"),
        Argument("--as-of", "day"),
        Argument("--previous", "path"),
        Argument("--only", "code", many=True),
        Argument("--exclude", "code", many=True),
        Argument("--rules", "folder"),
        Argument("--waivers", "file"),
        Argument("--table", "table"),
        *_READING,
        Argument("--jobs", "number"),
        Argument("--cache", "folder"),
        Argument("--no-cache"),
        _FAIL_ON,
    ),
    "sniff": (
        Argument("path", "file", required=True),
        Argument("--out", "file"),
        Argument("--limit", "limit", many=True),
    ),
    "template": (
        Argument("table", "table", required=True),
        Argument("--year", "year", required=True),
        Argument("--out", "file", required=True),
        Argument("--prefill", "file"),
    ),
    "suggest": (
        Argument("paths", "path", required=True, many=True),
        Argument("--json"),
        Argument("--rules", "folder"),
        *_READING,
    ),
    "rules": (
        Argument("action", "action", choices=RULE_ACTIONS),
        Argument("names", "name", many=True),
        Argument("--out", "folder"),
        Argument("--rules", "folder"),
        Argument("--json"),
    ),
    "explain": (Argument("code", "code", required=True),),
    "compare": (
        Argument("old", "path", required=True),
        Argument("new", "path", required=True),
        Argument("--json", "file"),
        *_READING,
    ),
    "verify": (
        Argument("bundle", "bundle", required=True),
        Argument("--sources", "folder"),
        Argument("--rerun"),
        Argument("--previous", "path"),
        Argument("--rules", "folder"),
        *_READING,
    ),
    "doctor": (),
}


def take_language(argv: list[str]) -> tuple[str | None, list[str]]:
    """Take ``--lang`` out of a command line, wherever it stands.

    Returns
    -------
    tuple
        The language that was asked for or None, and the other words in their order.

    Raises
    ------
    UsageError
        If nothing follows ``--lang``.
    """
    rest: list[str] = []
    lang: str | None = None
    words = iter(argv)
    for word in words:
        if word == "--":
            return lang, [*rest, word, *words]
        if word == _LANG:
            lang = next(words, None)
            if lang is None:
                raise UsageError("value", argument=_LANG)
        elif word.startswith(f"{_LANG}="):
            lang = word.removeprefix(f"{_LANG}=")
        else:
            rest.append(word)
    return lang, rest


def parse(words: list[str]) -> argparse.Namespace:
    """Read a command line without its ``--lang``.

    Returns
    -------
    argparse.Namespace
        ``command`` and the command's arguments; ``command`` is ``help`` (with ``topic``, a command
        or None) or ``version`` where that was asked for.

    Raises
    ------
    UsageError
        For an unknown command or argument, a missing one, or a value that is not allowed.
    """
    if not words or words[0] in _HELP:
        return argparse.Namespace(command="help", topic=None)
    command, *rest = words
    if command == "--version":
        return argparse.Namespace(command="version")
    if command not in COMMANDS:
        near = suggest(command, [*COMMANDS]) or ""
        raise UsageError("command", got=command, near=near, expected=", ".join(COMMANDS))
    before = rest[: rest.index("--")] if "--" in rest else rest
    if any(word in _HELP for word in before):
        return argparse.Namespace(command="help", topic=command)
    return _read(command, rest)


def _read(command: str, words: list[str]) -> argparse.Namespace:
    options = [a for a in COMMANDS[command] if a.name.startswith("-")]
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for a in options:
        stored = "append" if a.many else "store"
        parser.add_argument(a.name, action=stored if a.metavar else "store_true")
    cut = words.index("--") if "--" in words else len(words)
    try:
        found, others = parser.parse_known_args(words[:cut])
    except argparse.ArgumentError as error:
        raise UsageError("value", command, argument=str(error.argument_name)) from None
    unknown = [word for word in others if word.startswith("-")]
    if unknown:
        near = suggest(unknown[0].split("=")[0], [*(a.name for a in options), _LANG]) or ""
        raise UsageError("argument", command, got=unknown[0], near=near)
    _place(found, command, [*others, *words[cut + 1 :]])
    for a in COMMANDS[command]:
        value = getattr(found, a.attribute)
        if a.required and not value:
            raise UsageError("missing", command, argument=a.written())
        if a.choices and value is not None and value not in a.choices:
            allowed = ", ".join(a.choices)
            raise UsageError("choice", command, argument=a.name, got=value, expected=allowed)
    found.command = command
    return found


def _place(found: argparse.Namespace, command: str, words: list[str]) -> None:
    """Give the words that are no options to the command's positional arguments."""
    for a in COMMANDS[command]:
        if a.name.startswith("-"):
            continue
        if a.many:
            setattr(found, a.attribute, words)
            words = []
        else:
            setattr(found, a.attribute, words[0] if words else None)
            words = words[1:]
    if words:
        raise UsageError("argument", command, got=words[0])


def help_text(command: str | None) -> str:
    """Return the help of a command, or the overview of all."""
    return _overview() if command is None else _help_of(command)


def _usage(command: str) -> str:
    words = [a.written() if a.required else f"[{a.written()}]" for a in COMMANDS[command]]
    return " ".join(["gbi", command, *words])


def _general() -> list[tuple[str, str]]:
    language = f"{_LANG} {text('cli.metavars.language')}"
    return [(language, text("cli.arguments.lang")), ("-h, --help", text("cli.arguments.help"))]


def _overview() -> str:
    commands = [(name, text(f"cli.commands.{name}.title")) for name in COMMANDS]
    return "\n".join([
        text("cli.about"),
        "",
        text("cli.headings.usage"),
        f"  gbi {text('cli.metavars.command')} …",
        "",
        text("cli.headings.commands"),
        *columns(commands),
        "",
        text("cli.headings.options"),
        *columns([*_general(), ("--version", text("cli.arguments.version"))]),
        "",
        text("cli.headings.exit"),
        *columns([(str(n), text(f"cli.exit.{n}")) for n in range(6)]),
    ])  # fmt: skip


def _help_of(command: str) -> str:
    own = [(a.written(), text(f"cli.commands.{command}.{a.attribute}")) for a in COMMANDS[command]]
    lines = [text(f"cli.commands.{command}.title"), "", text("cli.headings.usage")]
    lines += [f"  {_usage(command)}", ""]
    if own:
        lines += [text("cli.headings.arguments"), *columns(own), ""]
    return "\n".join([*lines, text("cli.headings.options"), *columns(_general())])
