"""Tables that offices keep in files: CSV and XLSX, read within bounds and written so that no program runs what is in
them.

Reading never loads a whole file: rows come one by one, and every size is counted while it is read, whatever the file
says of itself. A workbook is a ZIP of XML: its parts are bounded in number, in size and in how far they may expand, and
a part with a document type is refused, so that nothing can be multiplied or fetched. Formulas are not computed; what
the file kept as their value is read.

Written text that a spreadsheet would take for a formula gets an apostrophe in front (CWE-1236).

Workbooks are written by XlsxWriter. They are read here and not by a library: what is read is other people's files, and
no library bounds what it makes of them (docs/decisions/2063-workbooks-after-looking-again.md).
"""

from kernel.spreadsheet.reading import Row, SpreadsheetRefused, read_rows
from kernel.spreadsheet.writing import CSV, XLSX, harmless, write_csv, write_xlsx

__all__ = ["CSV", "XLSX", "Row", "SpreadsheetRefused", "harmless", "read_rows", "write_csv", "write_xlsx"]
