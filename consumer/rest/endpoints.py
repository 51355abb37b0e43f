"""The endpoints: their paths, parameters and columns. answers.py has what they give."""

from collections.abc import Sequence

from consumer.bundle import Bundle, Column
from consumer.rest import answers
from consumer.rest.endpoint import Endpoint, Parameter
from consumer.rest.entities import KINDS

WINDOWS = ("daily", "weekly", "monthly", "quarterly", "yearly")
WINDOWS += ("over_30_day_period", "over_90_day_period", "over_180_day_period", "over_all_time")
MAX_ROWS = 10_000
FILTERED = {"varchar": "string", "bigint": "integer", "double": "number", "boolean": "boolean", "date": "date"}

LIMIT = Parameter("limit", "Most rows; without it 100 as JSON, all as CSV and Parquet", "integer", bounds=(1, MAX_ROWS))
AFTER = Parameter("after", "Where the page before ended; follow `next`", "integer", bounds=(0, 2**62))
SOURCE = Parameter("source", "Source of the facts, such as GITHUB")
WINDOW = Parameter("window", "Length of time that a number is over", allowed=WINDOWS)
METRIC_NAME = Parameter("metric", "Name (commits), full name (GITHUB_commits_daily) or id of the metric")


def columns_of(name: str, *only: str):
    """A function from a bundle to the columns of a table, or those named."""

    def columns(bundle: Bundle) -> Sequence[Column]:
        found = {column.name: column for column in bundle.tables[name].columns}
        return [found[column] for column in only or found]

    return columns


def _own(*columns: tuple[str, str, bool, str]):
    return lambda bundle: [Column(name, kind, nullable, None, about) for name, kind, nullable, about in columns]


def _both(*parts):
    return lambda bundle: [column for part in parts for column in part(bundle)]


def _column_parameters(bundle: Bundle, path: dict[str, str]) -> Sequence[Parameter]:
    return [
        Parameter(column.name, f"Only rows with this value: {column.description}", FILTERED[column.type])
        for column in answers.table_of(bundle, path["table"]).columns
        if column.type in FILTERED and column.name not in (LIMIT.name, AFTER.name, "table", "release")
    ]


_OBJECT = {"type": "object"}
_NAMES = {"type": "array", "items": {"type": "string"}}
_ENTITY = tuple(Parameter(kind, f"Id or name of the {kind}") for kind in KINDS)
_METRIC_SOURCE = Parameter("metric_source", "Source of the metric, such as GITHUB")
NUMBER = (METRIC_NAME, _METRIC_SOURCE, WINDOW)
_KEY_METRIC = _both(
    columns_of("metrics_v1", "metric_id", "metric", "metric_source", "window", "metric_name"),
    columns_of(
        "key_metrics_by_project_v1",
        *("amount", "previous_amount", "unit", "sample_date", "quality", "coverage"),
    ),
)
_RELEASE = _both(
    columns_of("releases_v1", "release_id", "published_at", "run_id", "code_sha", "directory_sha", "notes"),
    _own(("is_served", "boolean", False, "Whether answers without ?release= are of it.")),
)


def _path(name: str, about: str) -> Parameter:
    return Parameter(name, about, required=True)


ENDPOINTS = (
    Endpoint("/projects", answers.projects, columns_of("projects_v1"), (_ENTITY[1], LIMIT, AFTER), paged=True),
    Endpoint(
        "/projects/{project}",
        answers.project,
        _KEY_METRIC,
        (_path("project", "Id or name of the project"), *NUMBER),
        (("project", _OBJECT), ("collections", _NAMES), ("artifact_counts", _OBJECT)),
        card="project",
    ),
    Endpoint("/collections", answers.collections, columns_of("collections_v1"), (LIMIT, AFTER), paged=True),
    Endpoint(
        "/collections/{collection}",
        answers.collection,
        _KEY_METRIC,
        (_path("collection", "Id or name of the collection"), *NUMBER),
        (("collection", _OBJECT), ("project_count", {"type": "integer"})),
        card="collection",
    ),
    Endpoint(
        "/artifacts",
        answers.artifacts,
        columns_of("artifacts_v1"),
        (*_ENTITY[:2], SOURCE, LIMIT, AFTER),
        paged=True,
    ),
    Endpoint(
        "/artifacts/{artifact}",
        answers.artifact,
        _KEY_METRIC,
        (_path("artifact", "Id, owner/name, package or address of the artifact"), SOURCE, *NUMBER),
        (("artifact", _OBJECT), ("projects", _NAMES)),
    ),
    Endpoint(
        "/metrics",
        answers.all_metrics,
        columns_of("metrics_v1"),
        (SOURCE, WINDOW, Parameter("level", "What it is published for", allowed=KINDS), LIMIT, AFTER),
        paged=True,
    ),
    Endpoint(
        "/metrics/{metric}",
        answers.metric,
        columns_of("metrics_v1"),
        (_path("metric", "Full name, such as GITHUB_commits_daily, or id of the metric"),),
        one=True,
    ),
    Endpoint(
        "/timeseries",
        answers.timeseries,
        columns_of(
            "timeseries_metrics_by_project_v1",
            *("sample_date", "amount", "unit", "quality", "coverage"),
        ),
        (
            *_ENTITY,
            Parameter("metric", METRIC_NAME.description, required=True),
            _METRIC_SOURCE,
            WINDOW,
            Parameter("from", "First day, included", "date"),
            Parameter("to", "Last day, included", "date"),
        ),
        (*((kind, _OBJECT) for kind in KINDS), ("metric", _OBJECT)),
    ),
    Endpoint(
        "/key-metrics",
        answers.key_metrics,
        _KEY_METRIC,
        (*_ENTITY, *NUMBER),
        tuple((kind, _OBJECT) for kind in KINDS),
    ),
    Endpoint(
        "/rankings",
        answers.rankings,
        _both(
            _own(
                ("rank", "bigint", False, "Place by the amount, from 1; equal amounts share a place."),
                ("id", "varchar", False, "Id of the entity."),
                ("namespace", "varchar", False, "Namespace of the entity, such as the owner of a repository."),
                ("name", "varchar", False, "Name of the entity."),
                ("display_name", "varchar", False, "Name to show to people."),
            ),
            columns_of(
                "key_metrics_by_project_v1",
                *("amount", "previous_amount", "unit", "sample_date", "quality", "coverage"),
            ),
        ),
        (
            Parameter("metric", METRIC_NAME.description, required=True),
            _METRIC_SOURCE,
            WINDOW,
            Parameter("kind", "What is ranked", default="project", allowed=KINDS),
            Parameter("collection", "Only those in this collection"),
            Parameter("order", "desc: the largest first", default="desc", allowed=("desc", "asc")),
            Parameter("limit", "Most rows (100)", "integer", bounds=(1, MAX_ROWS)),
        ),
        (("metric", _OBJECT), ("without_number", {"type": "integer"})),
    ),
    Endpoint(
        "/search",
        answers.find_names,
        _own(
            ("kind", "varchar", False, "project, collection, artifact or metric."),
            ("id", "varchar", False, "Its id."),
            ("name", "varchar", False, "Its name, owner/name where it has an owner."),
            ("display_name", "varchar", True, "Its name to show to people; null where it has none of its own."),
            ("source", "varchar", False, "Where it is from, such as GITHUB."),
            ("score", "double", False, "1 is the very name, above 0.9 a part of it, below that how alike they are."),
        ),
        (
            Parameter("q", "What to look for", required=True),
            Parameter("kind", "Only this kind", allowed=(*KINDS, "metric")),
            Parameter("limit", "Most rows", "integer", default=20, bounds=(1, 100)),
        ),
    ),
    Endpoint(
        "/compare",
        answers.compare,
        _both(columns_of("projects_v1", "project_id", "project_name"), _KEY_METRIC),
        (Parameter("projects", "2 to 10 ids or names with commas between", required=True), *NUMBER),
        (("projects", {"type": "array", "items": _OBJECT}),),
    ),
    Endpoint(
        "/freshness",
        answers.freshness,
        _both(
            columns_of("sources_v1"),
            _own(
                ("days_full", "bigint", True, "Days that were seen whole; null if none."),
                ("days_part", "bigint", True, "Days that were seen in part; null if none."),
                ("days_none", "bigint", True, "Days between of which nothing was seen; null if none."),
            ),
        ),
    ),
    Endpoint("/releases", answers.releases, _RELEASE),
    Endpoint(
        "/releases/{release_id}",
        answers.release,
        _RELEASE,
        (_path("release_id", "Id of the release"),),
        one=True,
    ),
    Endpoint(
        "/tables",
        answers.tables,
        _own(
            ("table_name", "varchar", False, "Name of the table."),
            ("description", "varchar", False, "What one row is."),
            ("rows", "bigint", False, "Number of rows."),
            ("key", "varchar array", False, "Columns that make a row unique; empty where rows have no key."),
        ),
    ),
    Endpoint(
        "/tables/{table}",
        answers.table,
        _own(
            ("name", "varchar", False, "Name of the column."),
            ("type", "varchar", False, "Type, as Trino writes it."),
            ("nullable", "boolean", False, "Whether it may be null."),
            ("references", "varchar", True, "Table whose key the column holds; null if none."),
            ("description", "varchar", False, "What the column holds."),
            ("is_key", "boolean", False, "Whether it is part of the key."),
        ),
        (_path("table", "Name of the table"),),
        (("table", _OBJECT),),
    ),
    Endpoint(
        "/tables/{table}/rows",
        answers.rows,
        lambda bundle: [],
        (_path("table", "Name of the table"), LIMIT, AFTER),
        paged=True,
        extra=_column_parameters,
    ),
)
