from __future__ import annotations

import inspect

from gbi.stable import v1

# Version 1 as first published: add lines, never change one.
SIGNATURES = {
    "achievement": ["data", "by"],
    "gap": ["data", "by", "reference", "over"],
    "gender_marking": ["data"],
    "read": ["path", "table", "profile"],
    "read_submission": ["folder", "profile"],
    "rules": [],
    "run": ["folder", "out", "lang"],
    "share": ["data", "by", "member", "over"],
    "validate": ["data", "previous", "as_of", "only", "exclude", "waivers"],
}
CLASSES = {"Dataset", "GbiError", "ReportBundle", "Result", "Submission", "ValidationReport"}


def test_no_name_was_lost() -> None:
    assert set(v1.__all__) >= {*SIGNATURES, *CLASSES}
    assert all(hasattr(v1, name) for name in v1.__all__)


def test_no_parameter_was_lost_and_new_ones_have_defaults() -> None:
    for name, expected in SIGNATURES.items():
        parameters = inspect.signature(getattr(v1, name)).parameters
        assert list(parameters)[: len(expected)] == expected or set(parameters) >= set(expected)
        for added in set(parameters) - set(expected):
            assert parameters[added].default is not inspect.Parameter.empty, (name, added)
