"""Many submissions validated at once: found, checked in processes of their own, kept, told."""

from __future__ import annotations

from gbi.batch.checking import Asked
from gbi.batch.running import Batch, Checked, validate_batch
from gbi.batch.submissions import Place, submissions

__all__ = ["Asked", "Batch", "Checked", "Place", "submissions", "validate_batch"]
