"""Cases as a table to take along: CSV or XLSX of what the caller may see, without identity."""

from collections.abc import Iterator
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, cast

import msgspec
from flask import Response, send_file

from contracts import case as contract
from contracts.roles import CASE_READ
from kernel.paging import MOST
from kernel.spreadsheet import CSV, XLSX, write_csv, write_xlsx
from services.gateway import routes as route
from services.gateway.state import Call

IN_MEMORY: Final = 1024 * 1024  # larger tables wait on the disk until they are sent
COLUMNS: Final = tuple(contract.CaseSummary().fields)


def export(call: Call) -> Response:
    """Ask page by page, write to a file of our own, then send it: a refusal on the way is still a refusal."""
    as_workbook = call.values.get("format") == contract.TableFormat.XLSX
    made = cast("IO[bytes]", SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 - sent, then closed by the server
    (write_xlsx if as_workbook else write_csv)(made, COLUMNS, _rows(call))
    made.seek(0)
    kind, name = (XLSX, "cases.xlsx") if as_workbook else (CSV, "cases.csv")
    bare = kind.partition(";")[0]  # the charset of a text is added
    return send_file(made, mimetype=bare, as_attachment=True, download_name=name, max_age=0)


def _rows(call: Call) -> Iterator[tuple[Any, ...]]:
    values = {**call.values, "limit": MOST}
    while True:
        answer = call.gateway.doors.call(
            "case", "export_cases", values, actor=call.by, request_id=call.request_id
        )
        page = msgspec.json.decode(answer)
        for item in page["items"]:
            yield tuple(item[column] for column in COLUMNS)
        if page["next"] is None:
            return
        values["after"] = page["next"]


get = partial(route.get, at=route.GOVERNORATE)
routes = (
    get("/cases/export", "export_cases", contract.CaseExport, contract.CasePage, CASE_READ,
        "Cases that you may see as a table, without identity", without=("limit", "after"), does=export,
        media=(CSV, XLSX)),
)
operations = route.blueprint("registers", "Cases as a table. At a governorate.", routes)
