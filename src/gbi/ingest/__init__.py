"""Reading: files to datasets, by profiles; every value keeps the address of its cell."""

from gbi.ingest.profile import Profile, load_profile, profiles
from gbi.ingest.proposal import Proposal, sniff
from gbi.ingest.reading import read, read_submission
from gbi.ingest.safety import Limits

__all__ = [
    "Limits",
    "Profile",
    "Proposal",
    "load_profile",
    "profiles",
    "read",
    "read_submission",
    "sniff",
]
