"""The report: a bundle of evidence, one offline page, a findings workbook and charts."""

from gbi.report.bundle import ReportBundle
from gbi.report.status import write_status
from gbi.report.theme import style

__all__ = ["ReportBundle", "style", "write_status"]
