"""The audit refuses a drop, and lets one pass that a person says is real; half-new exports are never released."""

import pyarrow as pa
import pytest

from include.errors import SuspectData, Unavailable
from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import list_releases
from include.lake.releases import publish as publish_release
from include.quality.exports import MUST_HAVE_ROWS
from include.settings import load_settings
from include.transform import plan, publish


def test_a_drop_is_refused_until_it_is_said_to_be_real(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "expected_exports", lambda: MUST_HAVE_ROWS)
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    lake = open_catalog(settings, "lake")
    for name in MUST_HAVE_ROWS:
        write_export(lake, name, pa.table({"n": range(10)}))
    publish_release(settings, [f"exports.{n}" for n in MUST_HAVE_ROWS], run_id="r", code_sha="c", directory_sha="d")
    write_export(lake, "projects_v1", pa.table({"n": range(7)}))
    with pytest.raises(SuspectData, match="projects_v1 shrank below 80 %.*--accept-shrunk"):
        publish.audit(settings, "r")
    assert publish.audit(settings, "r", accept_shrunk=True)["projects_v1"] == 7


@pytest.mark.parametrize("engine", ["trino", "duckdb"])
def test_no_release_is_made_of_tables_that_a_build_is_writing(tmp_path, engine):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path), "OPENIMPACT_ENGINE": engine})
    lake = open_catalog(settings, "lake")
    write_export(lake, "projects_v1", pa.table({"directory_sha": ["d"]}))
    plan(settings, "r1")
    if engine == "trino":
        with pytest.raises(Unavailable, match="Build r1 is under way or broke off.*half new"):
            publish.release(settings, "p")
        assert list_releases(settings) == []
    else:  # its exports come to the lake when the build is done
        assert publish.release(settings, "p").directory_sha == "d"
