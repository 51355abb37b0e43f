"""How much of each metric a release holds, counted from its own tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyiceberg.exceptions import NoSuchTableError

from include.errors import FixNeeded
from include.lake.releases import open_release_table
from include.settings import Settings

TABLES = [
    f"{kind}_metrics_by_{level}_v1" for kind in ("timeseries", "key") for level in ("artifact", "project", "collection")
]
KEY_TABLES = [name for name in TABLES if name.startswith("key_")]  # of each number the newest
NUMBERS = ("metric_source", "metric", "sample_date", "quality", "amount")


@dataclass(frozen=True, kw_only=True)
class ReleasedMetric:
    """A metric of one source: its numbers at all levels, in series and newest; without any, no dates and no shares."""

    source: str
    metric: str
    rows: int
    first_date: date | None
    last_date: date | None
    ok: float | None  # shares of the rows by quality
    partial: float | None


def released_metrics(settings: Settings, release_id: str, tables: Sequence[str] = TABLES) -> list[ReleasedMetric]:
    """Every metric of the release's catalogue by source and name; a row without an amount is no number.

    Raises:
        FixNeeded: the release has no tables of metrics.
    """
    import duckdb

    try:
        with duckdb.connect() as db:
            db.execute("create table numbers (metric_source text, metric text, day date, quality text, n bigint)")
            for name in tables:
                db.register("batches", _read(settings, release_id, name, NUMBERS))
                db.execute(
                    "insert into numbers select metric_source, metric, sample_date, quality, count(*) from batches "
                    "where amount is not null group by all"
                )
            db.register("catalogue", _read(settings, release_id, "metrics_v1", NUMBERS[:2]))
            found = db.execute(
                "select metric_source, metric, coalesce(sum(n), 0)::bigint, min(day), max(day), "
                "sum(n) filter (quality = 'ok') / sum(n), sum(n) filter (quality = 'partial') / sum(n) "
                "from (select distinct * from catalogue) left join numbers using (metric_source, metric) "
                "group by all order by all"
            ).fetchall()
    except NoSuchTableError as error:
        raise FixNeeded(
            f"Release {release_id} lacks a table of metrics ({str(error)[:200]}): other code published it. "
            "Build and publish again, or name another of `python -m include release list`."
        ) from error
    return [ReleasedMetric(**dict(zip(ReleasedMetric.__annotations__, row, strict=True))) for row in found]


def _read(settings: Settings, release_id: str, name: str, columns: tuple[str, ...]):
    return open_release_table(settings, release_id, name).scan(selected_fields=columns).to_arrow_batch_reader()
