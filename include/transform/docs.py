"""The dbt docs as one page, and what dbt is told of the raw tables and of the metrics for it."""

import csv
import json
from pathlib import Path

from include.errors import SuspectData
from include.settings import Settings
from include.sources import all_sources
from include.transform.plan import DBT_PROJECT
from include.transform.runner import run_dbt


def write_docs(settings: Settings) -> Path:
    """Generates the dbt docs (lineage, columns, tests, the metrics) as one self-contained page; returns its path.

    Raises:
        SuspectData: dbt could not generate them, with its last messages.
    """
    target = settings.dbt_target / "docs"
    status, tail = run_dbt(
        settings, ["docs", "generate", "--static"], target, env={"OPENIMPACT_METRICS": metric_list()}
    )
    if status != 0:
        raise SuspectData(f"dbt could not write its docs; build first (python -m include build).\n{tail}")
    return target / "static_index.html"


def metric_list() -> str:
    """Every metric of the catalogue as a line of a Markdown list, in the seed's order."""
    with (DBT_PROJECT / "seeds/metric_catalogue.csv").open(newline="") as file:
        return "\n".join(_metric_line(row) for row in csv.DictReader(file))


def _metric_line(row: dict[str, str]) -> str:
    line = f"- **{row['metric']}** ({row['metric_source']}, {row['unit']}): {row['definition']}."
    oso = "; ".join(filter(None, (row["oso_name"], row["differs"])))
    return f"{line} OSO: {oso}." if oso else line


def sources_yml() -> str:
    """dbt/models/sources.yml: every raw table with its columns, as the registered sources describe them."""
    lines = [
        "# written by: python -m include sources --dbt > dbt/models/sources.yml",
        "sources:",
        "  - name: raw",
        "    schema: raw",
        "    description: What the sources landed, as received; one table a stream, whole UTC days.",
        "    tables:",
    ]
    for source in all_sources():
        for stream in source.all_streams:
            lines += [f"      - name: {source.name}__{stream.name}", f"        description: {json.dumps(stream.doc)}"]
            lines += ["        columns:"]
            for field in stream.raw_schema:
                doc = json.dumps(field.metadata[b"doc"].decode(), ensure_ascii=False)
                lines.append(f"          - {{name: {field.name}, description: {doc}}}")
    return "\n".join(lines) + "\n"
