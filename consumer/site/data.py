"""The data behind all pages: the tables of the release, what their columns mean, downloads, releases, how to cite."""

import json
from datetime import UTC

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle, Table
from consumer.rest.answers import table_of
from consumer.serving import Serving
from consumer.site.pages import page

SAMPLE = 5
LONGEST = 120  # characters of a value that are shown
_TERMS = "select distinct source, licence, docs_url from oso.sources_v1 order by source, licence"


def routes(serving: Serving) -> list[Route]:
    """The routes of the list of tables and of each table's page."""

    def data(request: Request) -> Response:
        bundle: Bundle = request.state.bundle
        return page(
            request,
            "data.html",
            about="Every published table with its columns, as CSV, JSON and Parquet, and how to cite a release.",
            tables=[*bundle.tables.values()],
            terms=bundle.rows(_TERMS),
            citation=citation(bundle),
            bibtex=bibtex(bundle),
            releases=serving.releases()[:50],
            served=serving.bundle.release_id,
        )

    return [Route("/data", data), Route("/data/{table}", _table)]


def citation(bundle: Bundle) -> str:
    """How a text names the release."""
    return f"OpenImpact. Release {bundle.release_id}, published {_day(bundle)}. Data as of {reach(bundle)}."


def bibtex(bundle: Bundle) -> str:
    """The same as an entry of BibTeX."""
    return f"""@misc{{openimpact-{bundle.release_id},
  author = {{{{OpenImpact}}}},
  title = {{OpenImpact, release {bundle.release_id}}},
  year = {{{bundle.published_at.astimezone(UTC):%Y}}},
  month = {bundle.published_at.astimezone(UTC).month},
  version = {{{bundle.release_id}}},
  note = {{Published {_day(bundle)}; data as of {reach(bundle).replace("_", chr(92) + "_")}}}
}}"""


def reach(bundle: Bundle) -> str:
    """Up to which day the facts of the sources go: the earliest and the latest, one where they are the same."""
    days = sorted({day for day in bundle.as_of.values() if day})
    return " to ".join(str(day) for day in {days[0]: 0, days[-1]: 0}) if days else "no day yet"


def shown(value: object) -> str | None:
    """A value of a sample as text, cut where it is long; None where it is null."""
    if value is None:
        return None
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _table(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    table = table_of(bundle, request.path_params["table"])
    rows = bundle.rows(f'select * from oso."{table.name}" limit {SAMPLE}')
    return page(
        request,
        "table.html",
        about=table.description,
        table=table,
        sample=[[shown(value) for value in row.values()] for row in rows],
        used_by=_used_by(bundle, table),
        citation=citation(bundle),
    )


def _used_by(bundle: Bundle, table: Table) -> list[str]:
    """The other tables that hold this one's key."""
    return [
        other.name
        for other in bundle.tables.values()
        if other.name != table.name and any(column.references == table.name for column in other.columns)
    ]


def _day(bundle: Bundle) -> str:
    return f"{bundle.published_at.astimezone(UTC):%Y-%m-%d}"
