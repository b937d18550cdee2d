"""Which profile knows a file: by what it holds, never by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gbi.ingest.layout import locate
from gbi.ingest.profile import profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gbi.ingest.grid import Grid
    from gbi.ingest.profile import Profile

# Of all headers expected or present, the part that must agree: a renamed header leaves a small
# table recognisable, a transcription with columns of its own stays apart.
ENOUGH = 0.6


def detect(grids: Sequence[Grid], shape: str, own: Sequence[Profile] = ()) -> Profile | None:
    """Return the profile whose headers agree best with a file's, if they agree enough.

    Profiles of one's own come before the packaged ones where both agree enough.
    """
    for candidates in (own, profiles()):
        scored = [(score(grids, p), p.name, p) for p in candidates if p.format == shape]
        best = max(scored, key=lambda s: (s[0], s[1]), default=None)
        if best is not None and best[0] >= ENOUGH:
            return best[2]
    return None


def score(grids: Sequence[Grid], profile: Profile) -> float:
    """Return how well a file's best sheet agrees with a profile, 0 to 1.

    A section without a header agrees with no file: such a profile has to be named. Nor does a
    profile agree that takes something from the file's name, where that name has another form.
    """
    if "file" in profile.document and grids:
        stem = grids[0].file.rpartition("/")[2].rpartition(".")[0]
        if re.fullmatch(profile.document["file"], stem, re.IGNORECASE) is None:
            return 0.0
    layouts = [
        locate(grid, section)
        for section in profile.sections
        if section.header_rows
        for grid in grids
    ]
    return max((layout.score for layout in layouts if layout is not None), default=0.0)
