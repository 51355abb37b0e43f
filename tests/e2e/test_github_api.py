"""From the API's answers to events: the hand-made day of acme/rocket, landed and built."""

import hashlib
import json

import duckdb
import pytest

from include import ingest
from include.sources import get_source
from include.sources.base import Window
from include.transform.runner import run_dbt
from tests.sources.standins import DAY, connect, settings_in

def nid(*parts):
    """metrics.md 1.8, by hand."""
    text = "".join(f"{len(part)}:{part}," for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, folder / "upstream")
        settings = settings_in(folder / "home")
        registry = get_source("oss_directory")
        ingest.ensure_raw_tables(settings)
        ingest.land(registry, Window.of(ingest.datetime.now(ingest.UTC).date()), settings)
        ingest.land(get_source("github_api"), Window.of(DAY), settings)
        arguments = ["build", "--vars", json.dumps({"rebuild_from": "all"}), "--full-refresh"]
        arguments += ["--select", "+int_events__github", "--indirect-selection", "cautious"]
        status, tail = run_dbt(settings, arguments, settings.dbt_target / "api")
        assert status == 0, tail
    with duckdb.connect(str(next((folder / "home").rglob("*.duckdb"))), read_only=True) as db:
        yield db


def test_every_event_of_the_day_by_hand(built):
    """Read off acme_github in tests/sources/standins.py; number 1 is ann's, merged by a bot; 2 and 3 are ben's."""
    found = built.execute(
        "select event_type, object_id, event_source_id, cast(amount as integer), actor_is_bot, subject_is_bot, "
        "is_own_item from intermediate.int_events__github_by_provider where event_type <> 'COMMIT_CODE' order by all"
    ).fetchall()
    at = 1756684800  # 2025-09-01 00:00 UTC
    assert found == sorted(
        [
            ("FORKED", "501", "501", 1, False, None, False),
            ("ISSUE_CLOSED", "3", str(at + 14 * 3600), 1, False, False, False),
            ("ISSUE_COMMENT", "301", "301", 1, None, None, None),
            ("ISSUE_COMMENT", "302", "302", 1, False, False, False),
            ("ISSUE_COMMENT", "304", "304", 1, True, True, False),
            ("ISSUE_OPENED", "3", "3", 1, False, False, False),
            ("PULL_REQUEST_CLOSED", "2", str(at + 11 * 3600), 1, False, False, False),
            ("PULL_REQUEST_MERGED", "1", "1", 1, True, False, False),
            ("PULL_REQUEST_OPENED", "1", "1", 1, False, False, False),
            ("PULL_REQUEST_REOPENED", "2", str(at + 11 * 3600 + 1800), 1, False, False, False),
            ("PULL_REQUEST_REVIEW", "101", "101", 1, False, False, False),
            ("PULL_REQUEST_REVIEW_COMMENT", "201", "201", 1, False, False, False),
            ("PULL_REQUEST_REVIEW_COMMENT", "202", "202", 1, False, False, False),
            ("RELEASE_PUBLISHED", "401", "401", 1, False, None, False),
            ("STARRED", "2025-09-01", "2025-09-01", 3, None, None, False),
        ]
    )


def test_commits_belong_to_the_account_that_their_email_shows(built):
    """Ann's e-mail is linked in two of her three commits; the fourth names nobody."""
    ann = nid("artifact", "GITHUB", "user:1")
    found = built.execute(
        "select object_id, actor_id, cast(event_day as varchar) from intermediate.int_events__github_by_provider "
        "where event_type = 'COMMIT_CODE' order by 1"
    ).fetchall()
    assert found == [
        ("a" * 40, ann, "2025-09-01"),
        ("b" * 40, ann, "2025-08-20"),
        ("c" * 40, None, "2025-09-01"),
        ("d" * 40, ann, "2025-08-31"),
    ]


def test_ids_can_be_derived_by_anybody(built):
    ids = dict(built.execute("select object_id, event_id from intermediate.int_events__github_by_provider").fetchall())
    assert ids["a" * 40] == nid("event", "GITHUB", "COMMIT_CODE", "7", "a" * 40)
    assert ids["2"] == nid("event", "GITHUB", "PULL_REQUEST_CLOSED", "7", "2", "1756724400") or ids["2"] == nid(
        "event", "GITHUB", "PULL_REQUEST_REOPENED", "7", "2", "1756726200"
    )
    assert ids["2025-09-01"] == nid("event", "GITHUB", "STARRED", "7", "2025-09-01")


def test_a_quiet_repository_is_full_for_every_family(built):
    found = built.execute(
        "select repo_id, count(*), count_if(is_full) from staging.stg_github_api__repository_days group by 1 order by 1"
    ).fetchall()
    assert found == [(7, 9, 9), (8, 9, 9), (9, 9, 9)]
