"""Many submissions validated at once: found, checked in processes of their own, kept, told."""

from __future__ import annotations

from gbi.batch.outcome import Batch, Checked
from gbi.batch.running import validate_batch
from gbi.batch.submissions import Place, submissions
from gbi.batch.tasks import Asked

__all__ = ["Asked", "Batch", "Checked", "Place", "submissions", "validate_batch"]
