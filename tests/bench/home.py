"""A fresh home for one job, with a directory that lists the followed repositories."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.hours import tracked_names


@contextmanager
def fresh_home(archive: str | None = None) -> Iterator:
    """Settings of an empty lake in a temporary folder, whose connections point to `archive` and a made-up directory."""
    from include.settings import load_settings

    folder = Path(tempfile.mkdtemp(prefix="openimpact-bench-home-"))
    os.environ.update(
        OPENIMPACT_HOME=str(folder),
        AIRFLOW_CONN_GITHUB_ARCHIVE=f"file://{archive}",
        AIRFLOW_CONN_OSS_DIRECTORY=f"file://{folder / 'directory'}",
    )
    for name in ("OPENIMPACT_ENGINE", "OPENIMPACT_CATALOG_URI", "OPENIMPACT_WAREHOUSE", "OPENIMPACT_LAST_DAY"):
        os.environ.pop(name, None)
    try:
        yield load_settings()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def land_directory(settings, names: list[str] | None = None) -> None:
    """Lands a directory of one collection, with ten repositories a project."""
    from include import ingest
    from include.sources import get_source
    from include.sources.base import Window

    names, data = names or tracked_names(), settings.home / "directory" / "data"
    projects = {f"p{start}": names[start : start + 10] for start in range(0, len(names), 10)}
    (data / "projects" / "p").mkdir(parents=True)
    (data / "collections").mkdir()
    for project, repos in projects.items():
        urls = "".join(f"\n  - url: https://github.com/{repo}" for repo in repos)
        text = f"version: 7\nname: {project}\ndisplay_name: {project}\ngithub:{urls}\n"
        (data / "projects" / "p" / f"{project}.yaml").write_text(text)
    members = "".join(f"\n  - {project}" for project in projects)
    (data / "collections" / "all.yaml").write_text(f"version: 7\nname: all\ndisplay_name: all\nprojects:{members}\n")
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
