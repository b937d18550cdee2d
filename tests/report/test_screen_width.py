"""The page in a browser: on a telephone nothing but a table's own container scrolls sideways."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gbi.report import ReportBundle

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
PROBE = """<script>
const wide = [...document.querySelectorAll("body *")].filter(e => {
  const scroll = e.closest(".scroll");
  if ((scroll && scroll !== e) || e.closest(".skip")) return false;
  const box = e.getBoundingClientRect();
  return box.width && (box.right > innerWidth + 1 || box.left < -1);
});
parent.postMessage([innerWidth, document.documentElement.scrollWidth,
                    document.querySelectorAll(".scroll").length,
                    wide.map(e => e.tagName + "." + e.className).join()].join(" "), "*");
</script></body>"""
FRAME = """<!DOCTYPE html><title></title><body>
<script>addEventListener("message", e => { document.title = "measured " + e.data })</script>
<iframe src="report.html" style="width:390px;height:844px;border:0"></iframe></body>"""


@pytest.mark.system
@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_the_page_does_not_scroll_sideways_on_a_telephone(
    written: dict[str, ReportBundle], tmp_path: Path, lang: str
) -> None:
    browser = next((b for b in map(shutil.which, BROWSERS) if b), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    html = ((written[lang].folder or Path()) / "report.html").read_text(encoding="utf-8")
    (tmp_path / "report.html").write_text(html.replace("</body>", PROBE), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000",
               f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]  # fmt: skip
    address = (tmp_path / "frame.html").as_uri()
    shown = subprocess.run(
        [browser, *options, address],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r"<title>measured (\d+) (\d+) (\d+) (.*?)</title>", shown.stdout)
    assert found, shown.stdout[:300]
    width, scrolled, containers, wide = found.groups()
    assert int(width) == 390
    assert int(scrolled) <= 390, wide
    assert wide == ""
    assert int(containers) > 10
