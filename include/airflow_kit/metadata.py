"""Removes old rows from Airflow's database: python -m include.airflow_kit.metadata DAYS prints how many, as JSON."""

import contextlib
import json
import sys
from datetime import UTC, datetime, timedelta

from include.airflow_kit.maintain import NO_DATABASE


def main(days: int) -> int:
    """Keeps `days` of what `airflow db clean` cleans, without archives; returns the exit status.

    A row that is added meanwhile counts against those removed.

    Raises:
        RuntimeError: a table could not be cleaned; Airflow's words.
    """
    from airflow.utils.db_cleanup import run_cleanup
    from airflow.utils.session import create_session
    from sqlalchemy import func, inspect, select, table

    def rows(session) -> dict[str, int]:
        names = sorted(inspect(session.get_bind()).get_table_names())
        return {name: session.scalar(select(func.count()).select_from(table(name))) for name in names}

    with create_session() as session, contextlib.redirect_stdout(sys.stderr):
        before = rows(session)
        if "dag_run" not in before:
            return NO_DATABASE
        run_cleanup(
            clean_before_timestamp=datetime.now(UTC) - timedelta(days=days),
            confirm=False,
            skip_archive=True,
            error_on_cleanup_failure=True,
            session=session,
        )
        after = rows(session)
    removed = {name: before[name] - count for name, count in after.items() if before.get(name, 0) > count}
    print(json.dumps(removed))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
