"""``python -m gbi.cli``, for a machine where the ``gbi`` command is not on the search path."""

from __future__ import annotations

import sys

from gbi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
