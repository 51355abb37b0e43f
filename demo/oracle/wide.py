"""The wide tables by project, by brute force from section 4 of the catalogue.

`code`, `packages`, `onchain` and `funding` give {(project id, event source): row}, a row being a dict of every column but
computed_at and run_id in the order of the contract; counts are int, other numbers float, what is not known is None.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from demo.oracle import Entity, KeyRow, Oracle, entity_id, windows
from demo.oracle.metrics import EPOCH, METRICS
from demo.oracle.others import Fact, Others
from demo.oracle.windows import ALL_TIME
from demo.world import world

DAYS_30, DAYS_90, DAYS_180 = windows.ROLLING
NEWEST = "daily"  # the latest snapshot
Row = dict[str, object]
Rows = dict[tuple[str, str], Row]
Columns = dict[str, tuple[str, str, type]]  # key metric, window word, type

CODE: Columns = {
    "star_count": ("stars_total", NEWEST, int),
    "fork_count": ("forks_total", NEWEST, int),
    "contributor_count": ("contributors", ALL_TIME, int),
    "contributor_count_6_months": ("contributors", DAYS_180, int),
    "new_contributor_count_6_months": ("new_contributors", DAYS_180, int),
    "fulltime_developer_average_6_months": ("full_time_developers", "6 months", float),
    "active_developer_count_6_months": ("active_developers", DAYS_180, int),
    "commit_count_6_months": ("commits", DAYS_180, int),
    "opened_pull_request_count_6_months": ("opened_pull_requests", DAYS_180, int),
    "merged_pull_request_count_6_months": ("merged_pull_requests", DAYS_180, int),
    "opened_issue_count_6_months": ("opened_issues", DAYS_180, int),
    "closed_issue_count_6_months": ("closed_issues", DAYS_180, int),
    "watcher_count": ("watchers_total", NEWEST, int),
    "release_count_6_months": ("releases", DAYS_180, int),
    "comment_count_6_months": ("comments", DAYS_180, int),
    "contributor_absence_factor_180_days": ("contributor_absence_factor", DAYS_180, int),
    "time_to_merge_median_180_days": ("time_to_merge_median", DAYS_180, float),
    "time_to_first_response_median_180_days": ("time_to_first_response_median", DAYS_180, float),
    "self_merge_rate_180_days": ("self_merge_rates", DAYS_180, float),
    "bot_activity_share_180_days": ("bot_activity_share", DAYS_180, float),
    "contributor_retention_rate_90_days": ("contributor_retention_rate", DAYS_90, float),
    "last_activity_date": ("last_activity_date", ALL_TIME, int),
}
PACKAGES: Columns = {
    "package_count": ("packages", ALL_TIME, int),
    "downloads_30_days": ("downloads", DAYS_30, int),
    "downloads_90_days": ("downloads", DAYS_90, int),
    "downloads_180_days": ("downloads", DAYS_180, int),
    "downloads_all_time": ("downloads", ALL_TIME, int),
    "package_releases_180_days": ("package_releases", DAYS_180, int),
}
ONCHAIN: Columns = {
    "active_contract_count_90_days": ("active_contracts", DAYS_90, int),
    "transaction_count": ("transactions", ALL_TIME, int),
    "transaction_count_6_months": ("transactions", DAYS_180, int),
    "gas_fees_sum": ("gas_fees", ALL_TIME, float),
    "gas_fees_sum_6_months": ("gas_fees", DAYS_180, float),
    "address_count": ("active_addresses", ALL_TIME, int),
    "address_count_90_days": ("active_addresses", DAYS_90, int),
    "new_address_count_90_days": ("new_addresses", DAYS_90, int),
    "returning_address_count_90_days": ("returning_addresses", DAYS_90, int),
    "contracts_deployed": ("contracts_deployed", ALL_TIME, int),
}
FUNDING: Columns = {
    "total_funding_received": ("funding_received", ALL_TIME, float),
    "total_funding_spent": ("funding_spent", ALL_TIME, float),
    "total_funding_fees": ("funding_fees", ALL_TIME, float),
    "funding_net": ("funding_net", ALL_TIME, float),
    "funding_received_30_days": ("funding_received", DAYS_30, float),
    "funding_received_90_days": ("funding_received", DAYS_90, float),
    "funding_received_180_days": ("funding_received", DAYS_180, float),
    "backer_count": ("backers", ALL_TIME, int),
    "backer_count_180_days": ("backers", DAYS_180, int),
    "new_backer_count_180_days": ("new_backers", DAYS_180, int),
}


def code(oracle: Oracle) -> Rows:
    """code_metrics_by_project_v1 of a landing of the archive: nobody was asked what is archived."""
    keys, found = oracle.key_metrics(), {}
    for entity in (e for e in oracle.entities if e.level == "project"):
        own = {(m, w): row for (_, its_id, m, w), row in keys.items() if its_id == entity.id}
        own["full_time_developers", "6 months"] = _full_time_average(oracle, entity)
        numbers = _numbers(CODE, own)
        commits = own["commits", ALL_TIME]
        days = [
            day
            for day in entity.activity.event_days
            if commits.amount is not None
            and day <= commits.sample_date
            and entity.activity.days[day].types["COMMIT_CODE"]
        ]
        active = numbers.pop("last_activity_date")
        found[entity.id, "GITHUB"] = _row(
            entity.name,
            "GITHUB",
            {
                "repository_count": len(oracle.members["project"][entity.name]),
                "first_commit_date": min(days, default=None),
                "last_commit_date": max(days, default=None),
                **numbers,
                "last_activity_date": None if active is None else EPOCH + timedelta(days=active),
                "archived_repository_count": None,
            },
            [commits, *_used(CODE, own)],
        )
    return found


def _full_time_average(oracle: Oracle, entity: Entity) -> KeyRow:
    """Full-time developers a month, of the last six months that ended by as_of."""
    metric = next(m for m in METRICS if m.name == "full_time_developers")
    as_of = oracle.coverage.as_of(metric.families)
    if as_of is None:
        return KeyRow(None, None, None, "unknown", 0.0)
    months = [windows.calendar("monthly", as_of + timedelta(days=1)).previous()]
    while len(months) < 6:
        months.append(months[-1].previous())
    grades = [oracle.graded(entity, metric, month, as_of) for month in months]
    quality = _worst(quality for quality, _ in grades)
    amount = None if quality == "unknown" else sum(metric.value(entity.view(month, as_of)) for month in months) / 6
    return KeyRow(as_of, amount, None, quality, min(share for _, share in grades))


def packages(truth: Others) -> Rows:
    """package_metrics_by_project_v1."""
    found = {}
    for name, source, own, facts in _projects(truth, ("NPM",)):
        numbers = _numbers(PACKAGES, own)
        released: dict[object, list[date]] = {}
        for fact in facts:
            if fact.type == "PACKAGE_VERSION_PUBLISHED" and fact.stable:
                released.setdefault(fact.artifact, []).append(fact.day)
        known = own["package_releases", ALL_TIME].amount is not None
        gaps = [(b - a).days for days in released.values() for a, b in pairwise(sorted(days))] if known else []
        before = own["downloads", DAYS_30].previous_amount
        dependents = own.get(("dependents", NEWEST))
        found[entity_id("project", name), source] = _row(
            name,
            source,
            {
                **{column: numbers[column] for column in list(PACKAGES)[:4]},
                "downloads_previous_30_days": None if before is None else int(before),
                "downloads_all_time": numbers["downloads_all_time"],
                "latest_release_date": max((d for days in released.values() for d in days), default=None)
                if known
                else None,
                "package_releases_180_days": numbers["package_releases_180_days"],
                "days_between_releases_median": float(median(gaps)) if gaps else None,
                "dependent_count": None if dependents is None or dependents.amount is None else int(dependents.amount),
            },
            [own["package_releases", ALL_TIME], *_used(PACKAGES, own), *([dependents] if dependents else [])],
        )
    return found


def onchain(truth: Others) -> Rows:
    """onchain_metrics_by_project_v1, of each chain by itself."""
    chains = [*_projects(truth, ("MAINNET", "OPTIMISM"))]
    callers = {
        (name, source): Counter(f.who for f in _recent(facts, own) if f.type == "CONTRACT_INVOCATION")
        for name, source, own, facts in chains
    }
    found = {}
    for name, source, own, facts in chains:
        numbers, calls = _numbers(ONCHAIN, own), callers[name, source]
        elsewhere = set().union(*(who for (n, s), who in callers.items() if s == source and n != name))
        recent = Counter(f.type for f in _recent(facts, own))
        failed, done = recent["TRANSACTION_FAILED"], recent["CONTRACT_INVOCATION"]
        ever = own["transactions", ALL_TIME]
        first = min((f.day for f in facts if f.type == "CONTRACT_INVOCATION"), default=None)
        known = own["active_addresses", DAYS_90].amount is not None
        active = {
            "high_activity_address_count_90_days": sum(n >= 1000 for n in calls.values()),
            "medium_activity_address_count_90_days": sum(10 <= n < 1000 for n in calls.values()),
            "low_activity_address_count_90_days": sum(n < 10 for n in calls.values()),
            "multi_project_address_count_90_days": len(calls.keys() & elsewhere),
        }
        deployed = numbers.pop("contracts_deployed")
        found[entity_id("project", name), source] = _row(
            name,
            source,
            {
                "days_since_first_transaction": (ever.sample_date - first).days
                if first and ever.amount is not None
                else None,
                **numbers,
                **(active if known else dict.fromkeys(active)),
                "failed_transaction_share_90_days": failed / (failed + done) if known and failed + done else None,
                "contracts_deployed": deployed,
            },
            _used(ONCHAIN, own),
        )
    return found


def funding(truth: Others) -> Rows:
    """funding_metrics_by_project_v1."""
    found = {}
    for name, source, own, facts in _projects(truth, ("OPEN_COLLECTIVE",)):
        received: Counter[date] = Counter()
        for fact in facts:
            if fact.type == "CREDIT" and fact.amount is not None:
                received[fact.day] += fact.amount
        days = [day for day, usd in received.items() if usd > 0]
        if own["funding_received", ALL_TIME].amount is None:
            days = []
        dates = {"first_funding_date": min(days, default=None), "last_funding_date": max(days, default=None)}
        numbers = _numbers(FUNDING, own) | dates
        found[entity_id("project", name), source] = _row(name, source, numbers, _used(FUNDING, own))
    return found


Keys = dict[tuple[str, str], KeyRow]  # by metric and window word


def _projects(truth: Others, sources: tuple[str, ...]) -> Iterator[tuple[str, str, Keys, list[Fact]]]:
    """(project, source, its key metrics, its facts by day)."""
    names = {entity_id("project", p.name): p.name for p in world().projects}
    keys = truth.key_metrics()
    for level, its_id, source, _, facts in truth.by_source():
        if level == "project" and source in sources:
            told = (source, "DEPS_DEV") if source == "NPM" else (source,)
            own = {(m, w): row for (_, i, s, m, w), row in keys.items() if i == its_id and s in told}
            yield names[its_id], source, own, facts


def _recent(facts: list[Fact], own: Keys) -> list[Fact]:
    """The facts of the 90 days to the data-through day."""
    last = own["active_addresses", DAYS_90].sample_date
    return [f for f in facts if last - timedelta(days=90) < f.day <= last]


def _numbers(columns: Columns, own: Keys) -> Row:
    found = {}
    for column, (metric, word, type_) in columns.items():
        row = own.get((metric, word))
        found[column] = None if row is None or row.amount is None else type_(row.amount)
    return found


def _used(columns: Columns, own: Keys) -> list[KeyRow]:
    return [own[metric, word] for metric, word, _ in columns.values() if (metric, word) in own]


def _worst(qualities: Iterable[str]) -> str:
    return max(qualities, key=("ok", "partial", "unknown").index)


def _row(name: str, source: str, numbers: Row, judged: list[KeyRow]) -> Row:
    # what nobody measures has no number, and is not judged
    judged = [row for row in judged if row.sample_date]
    display_name = next(p.display_name for p in world().projects if p.name == name)
    return {
        "project_id": entity_id("project", name),
        "project_source": "OSS_DIRECTORY",
        "project_namespace": "oso",
        "project_name": name,
        "display_name": display_name,
        "event_source": source,
        **numbers,
        "as_of": min((row.sample_date for row in judged), default=None),
        "quality": _worst([row.quality for row in judged] or ["unknown"]),
        "coverage": min((row.coverage for row in judged), default=0.0),
    }
