"""Reading: files to datasets, by profiles; every value keeps the address of its cell."""

from gbi.ingest.profile import Profile, profiles
from gbi.ingest.reading import read, read_submission

__all__ = ["Profile", "profiles", "read", "read_submission"]
