"""Reading and writing files: every value keeps the address of its cell.

Names are loaded when they are first asked for: a process that opens one file for another needs
neither pandas nor the profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gbi.ingest.enrichment import disaggregation_coverage
    from gbi.ingest.profile import Profile, load_profile, profiles
    from gbi.ingest.proposal import Proposal, sniff
    from gbi.ingest.reading import read, read_submission
    from gbi.ingest.safety import Limits
    from gbi.ingest.template import write_template
    from gbi.ingest.writing import write

__all__ = [
    "Limits",
    "Profile",
    "Proposal",
    "disaggregation_coverage",
    "load_profile",
    "profiles",
    "read",
    "read_submission",
    "sniff",
    "write",
    "write_template",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for (PEP 562)."""
    if name in ("read", "read_submission"):
        from gbi.ingest import reading

        return getattr(reading, name)
    if name in ("Profile", "load_profile", "profiles"):
        from gbi.ingest import profile

        return getattr(profile, name)
    if name in ("Proposal", "sniff"):
        from gbi.ingest import proposal

        return getattr(proposal, name)
    if name == "write":
        from gbi.ingest.writing import write

        return write
    if name == "write_template":
        from gbi.ingest.template import write_template

        return write_template
    if name == "disaggregation_coverage":
        from gbi.ingest.enrichment import disaggregation_coverage

        return disaggregation_coverage
    if name == "Limits":
        from gbi.ingest.safety import Limits

        return Limits
    raise AttributeError(f"module 'gbi.ingest' has no attribute {name!r}")
