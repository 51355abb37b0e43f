"""The queries of metrics_v1, run as a reader would run them."""

import re
from datetime import date

from demo.oracle import windows

PROJECTS = {
    "artifact": "select '' where ? is null",
    "project": "select ?",
    "collection": "select project_id from projects_by_collection_v1 where collection_id = ?",
}
MEMBERS = {
    "artifact": "select ?",
    "project": "select artifact_id from artifacts_by_project_v1 where project_id = ?",
    "collection": "select artifact_id from artifacts_by_collection_v1 where collection_id = ?",
}


def largest_rows(db, table: str, level: str) -> list[tuple]:
    """(source, metric, window, entity, sample date, amount): the row of each metric and window with the largest."""
    return db.execute(
        f'select metric_source, metric, "window", {level}_id, sample_date, amount from {table}_by_{level}_v1 '
        f"where amount is not null "
        f"qualify row_number() over (partition by metric_id order by abs(amount) desc, sample_date, {level}_id) = 1"
    ).fetchall()


def amount_by_query(db, query: str, level: str, entity: str, window: windows.Window, as_of: date):
    """What `query` gives for one window of one entity. `db` is in the schema of the exports."""
    before = window.previous() or window

    def listed(query: str) -> str:
        return ", ".join(f"'{one}'" for (one,) in db.execute(query, [entity]).fetchall()) or "''"

    given = {
        "artifacts": listed(MEMBERS[level]),
        "projects": listed(PROJECTS[level]),
        "first_day": f"date '{window.start}'",
        "last_day": f"date '{min(window.end, as_of)}'",
        "days": str(window.length),
        "previous_first_day": f"date '{before.start}'",
        "previous_days": str(before.length),
    }
    return db.execute(re.sub(r":([a-z]\w*)", lambda name: given[name[1]], query)).fetchone()[0]


def window_of(word: str, sample_date: date) -> windows.Window:
    """The window whose row carries the date."""
    if word == windows.ALL_TIME:
        return windows.all_time(sample_date)
    return (windows.rolling if word in windows.ROLLING else windows.calendar)(word, sample_date)
