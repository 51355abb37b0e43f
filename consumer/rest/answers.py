"""What the endpoints answer. A number always comes with its unit, its last day, its quality and its coverage."""

from dataclasses import asdict

from consumer.bundle import Bundle, Table
from consumer.cards import KEY_METRIC
from consumer.problems import Problem
from consumer.rest.endpoint import Answer, Ask
from consumer.rest.entities import KINDS, find, metrics, named, search


def tables(ask: Ask) -> Answer:
    """Every published table."""
    found = [
        {"table_name": t.name, "description": t.description, "rows": t.rows, "key": list(t.key)}
        for t in ask.bundle.tables.values()
    ]
    return Answer(data=found)


def table(ask: Ask) -> Answer:
    """The columns of a published table."""
    found = table_of(ask.bundle, ask["table"])
    about = {"table": {"table_name": found.name, "description": found.description, "rows": found.rows}}
    return Answer(data=[asdict(column) | {"is_key": column.name in found.key} for column in found.columns], about=about)


def rows(ask: Ask) -> Answer:
    """The rows of a published table, in the order of its key; a column's name as a parameter selects by its value."""
    found = table_of(ask.bundle, ask["table"])
    given = {column.name: ask[column.name] for column in found.columns if ask[column.name] is not None}
    return _page(ask, found.name, [(f'"{name}" = ?', value) for name, value in given.items()])


def projects(ask: Ask) -> Answer:
    """All projects, or those of a collection."""
    where = []
    if ask["collection"]:
        of = named(ask.bundle, "collection", ask["collection"])
        members = "select project_id from oso.projects_by_collection_v1 where collection_id = ?"
        where.append((f"project_id in ({members})", of["collection_id"]))
    return _page(ask, "projects_v1", where)


def collections(ask: Ask) -> Answer:
    """All collections."""
    return _page(ask, "collections_v1", [])


def artifacts(ask: Ask) -> Answer:
    """All artifacts, or those of a project, a collection or a source."""
    where = [("artifact_source = upper(?)", ask["source"])] if ask["source"] else []
    for kind in ("project", "collection"):
        if ask[kind]:
            of = named(ask.bundle, kind, ask[kind])
            members = f"select artifact_id from oso.artifacts_by_{kind}_v1 where {kind}_id = ?"
            where.append((f"artifact_id in ({members})", of[f"{kind}_id"]))
    return _page(ask, "artifacts_v1", where)


def project(ask: Ask) -> Answer:
    """A project: what belongs to it and its newest numbers."""
    found = find(ask.bundle, "project", ask["project"])
    of = [found["project_id"]]
    named = "select collection_name from oso.projects_by_collection_v1 where project_id = ? order by 1"
    counted = "select artifact_source, count(*) as n from oso.artifacts_by_project_v1 where project_id = ? group by 1"
    about = {
        "project": found,
        "collections": [row["collection_name"] for row in ask.bundle.rows(named, of)],
        "artifact_counts": {row["artifact_source"]: row["n"] for row in ask.bundle.rows(counted + " order by 1", of)},
    }
    return _numbers(ask, "project", found, about)


def collection(ask: Ask) -> Answer:
    """A collection: how many projects it has and its newest numbers."""
    found = find(ask.bundle, "collection", ask["collection"])
    counted = "select count(*) as n from oso.projects_by_collection_v1 where collection_id = ?"
    (members,) = ask.bundle.rows(counted, [found["collection_id"]])
    return _numbers(ask, "collection", found, {"collection": found, "project_count": members["n"]})


def artifact(ask: Ask) -> Answer:
    """An artifact (a repository, package, contract or account): whose it is and its newest numbers."""
    found = find(ask.bundle, "artifact", ask["artifact"], ask["source"])
    named = "select project_name from oso.artifacts_by_project_v1 where artifact_id = ? order by 1"
    owners = [row["project_name"] for row in ask.bundle.rows(named, [found["artifact_id"]])]
    return _numbers(ask, "artifact", found, {"artifact": found, "projects": owners})


def all_metrics(ask: Ask) -> Answer:
    """All metrics, a row for each window: definition, unit, which rows exist, the SQL that gives the number."""
    wanted = (("metric_source = upper(?)", "source"), ('"window" = ?', "window"), ("list_contains(levels, ?)", "level"))
    return _page(ask, "metrics_v1", [(match, ask[name]) for match, name in wanted if ask[name]])


def metric(ask: Ask) -> Answer:
    """A metric in one window."""
    where = "where metric_id = $text or lower(metric_name) = lower($text)"
    sql = f"select * from oso.metrics_v1 {where}"
    if not ask.bundle.rows(sql, {"text": ask["metric"]}):
        alike = ask.bundle.rows(*search(ask["metric"], "metric", 10))
        detail = f"There is no metric {ask['metric']!r}; a full name is such as GITHUB_commits_daily."
        raise Problem(404, detail, candidates=[row["name"] for row in alike])
    return Answer(sql, {"text": ask["metric"]}, one=True)


def timeseries(ask: Ask) -> Answer:
    """One metric of one project, collection or artifact, day by day or window by window, oldest first."""
    kind, found = _entity(ask)
    wanted = metrics(ask.bundle, ask["metric"], kind, ask["metric_source"], ask["window"])
    if len(wanted) > 1:
        raise Problem(
            400,
            f"{ask['metric']!r} is counted over several windows or by several sources; name one.",
            parameter="metric",
            allowed=[row["metric_name"] for row in wanted],
        )
    given = {"entity": found[f"{kind}_id"], "metric": wanted[0]["metric_id"], "from": ask["from"], "to": ask["to"]}
    days = (f"and sample_date {bound} ${day}" for bound, day in ((">=", "from"), ("<=", "to")) if ask[day])
    # the bundle holds a series in the order of days
    sql = f"""
        select sample_date, amount, unit, quality, coverage
        from oso.timeseries_metrics_by_{kind}_v1
        where {kind}_id = $entity and metric_id = $metric {" ".join(days)}"""
    given = {name: value for name, value in given.items() if value is not None}
    return Answer(sql, given, {kind: found, "metric": wanted[0]})


def key_metrics(ask: Ask) -> Answer:
    """The newest numbers of one project, collection or artifact."""
    kind, found = _entity(ask)
    return _numbers(ask, kind, found, {kind: found})


def rankings(ask: Ask) -> Answer:
    """Projects, collections or artifacts by one metric; those without a number have no rank and are only counted."""
    kind = ask["kind"]
    wanted = metrics(ask.bundle, ask["metric"], kind, ask["metric_source"], ask["window"])
    wanted = [row for row in wanted if row["window"].startswith("over_")] if len(wanted) > 1 else wanted
    if len(wanted) != 1:
        names = [row["metric_name"] for row in wanted]
        raise Problem(400, f"{ask['metric']!r} has several windows; name one.", parameter="window", allowed=names)
    given = {"metric": wanted[0]["metric_id"]}
    member = ""
    if ask["collection"]:
        if kind == "collection":
            raise Problem(400, "Collections are not in collections; leave `collection` out.", parameter="collection")
        of = named(ask.bundle, "collection", ask["collection"])
        given["collection"] = of["collection_id"]
        member = (
            f"and {kind}_id in (select {kind}_id from oso.{kind}s_by_collection_v1 where collection_id = $collection)"
        )
    numbers = f"from oso.key_metrics_by_{kind}_v1 as numbers where metric_id = $metric {member}"
    (counted,) = ask.bundle.rows(f"select count(*) - count(amount) as without {numbers}", given)
    label = f"entities.{kind}_name as display_name" if kind == "artifact" else "entities.display_name"
    sql = f"""
        select
            rank() over (order by numbers.amount {ask["order"]}) as rank, entities.{kind}_id as id,
            entities.{kind}_namespace as namespace, entities.{kind}_name as name, {label},
            numbers.amount, numbers.previous_amount, numbers.unit, numbers.sample_date, numbers.quality,
            numbers.coverage
        from (select * {numbers}) as numbers
        inner join oso.{kind}s_v1 as entities on numbers.{kind}_id = entities.{kind}_id
        where numbers.amount is not null
        order by rank, name, id
        limit {ask["limit"] or 100}"""
    return Answer(sql, given, {"metric": wanted[0], "without_number": counted["without"]})


def find_names(ask: Ask) -> Answer:
    """Projects, collections, artifacts and metrics by name, owner/name, package, address or id, though mistyped."""
    return Answer(*search(ask["q"], ask["kind"], ask["limit"]))


def compare(ask: Ask) -> Answer:
    """The newest numbers of 2 to 10 projects side by side."""
    asked = [name.strip() for name in ask["projects"].split(",") if name.strip()]
    found = {row["project_id"]: row for row in (named(ask.bundle, "project", name) for name in asked)}
    if not 2 <= len(found) <= 10:
        raise Problem(400, f"{len(found)} different projects are named; name 2 to 10.", parameter="projects")
    given: dict = {"projects": list(found)}
    sql = f"""
        select project_id, project_name, {KEY_METRIC}
        from oso.key_metrics_by_project_v1
        inner join (select project_id, project_name from oso.projects_v1) as projects using (project_id)
        where list_contains($projects, project_id) {_only(ask, "project", given)}
        order by metric_name, list_position($projects, project_id)"""
    return Answer(sql, given, {"projects": list(found.values())})


def freshness(ask: Ask) -> Answer:
    """Every source: how far its facts reach, when it was last landed, and on how many days it was seen whole."""
    days = "sum(date_diff('day', from_day, to_day) + 1) filter (where status = '{0}')::bigint as days_{0}"
    return Answer(f"""
        select sources.*, days_full, days_part, days_none
        from oso.sources_v1 as sources
        left join (
            select source, provider, family, {", ".join(days.format(status) for status in ("full", "part", "none"))}
            from oso.coverage_v1
            where artifact_id is null
            group by source, provider, family
        ) as coverage using (source, provider, family)
        order by source, provider, family""")


def releases(ask: Ask) -> Answer:
    """The retained releases, newest first; each can be read by ?release=<id>."""
    current = ask.serving.bundle.release_id
    found = [row | {"is_served": row["release_id"] == current} for row in ask.serving.releases()]
    return Answer(data=found, kept=False)


def release(ask: Ask) -> Answer:
    """A retained release."""
    found = {row["release_id"]: row for row in releases(ask).data}
    if ask["release_id"] not in found:
        raise Problem(404, f"There is no release {ask['release_id']!r}.", candidates=list(found))
    return Answer(data=found[ask["release_id"]], one=True, kept=False)


def table_of(bundle: Bundle, name: str) -> Table:
    """The published table of this name.

    Raises:
        Problem: 404, there is none; the answer lists those that there are.
    """
    if name not in bundle.tables:
        raise Problem(404, f"There is no table {name!r}.", candidates=list(bundle.tables))
    return bundle.tables[name]


def _page(ask: Ask, name: str, where: list[tuple[str, object]]) -> Answer:
    """Rows of a table from `after` on, in the order of the file, where all of (condition with one ?, value) hold."""
    conditions = [condition for condition, _ in where] + ["rowid > ?"]
    after = -1 if ask["after"] is None else ask["after"]
    # DuckDB keeps the order of the file; to ask for it would make it read the table to the end
    sql = f'select rowid as _row, * from oso."{name}" where {" and ".join(conditions)}'
    return Answer(
        sql, [value for _, value in where] + [after], limit=ask["limit"] or (100 if ask.form == "json" else None)
    )


def _entity(ask: Ask) -> tuple[str, dict]:
    given = [kind for kind in KINDS if ask[kind]]
    if len(given) != 1:
        raise Problem(400, "Name one project, collection or artifact.", allowed=list(KINDS))
    return given[0], named(ask.bundle, given[0], ask[given[0]])


def _only(ask: Ask, kind: str, given: dict) -> str:
    """The condition for the metrics that are asked for; their ids go into `given`."""
    if ask["metric"]:
        wanted = metrics(ask.bundle, ask["metric"], kind, ask["metric_source"], ask["window"])
        given["metrics"] = [row["metric_id"] for row in wanted]
        return "and list_contains($metrics, metric_id)"
    given |= {"source": ask["metric_source"], "window": ask["window"]}
    return """
        and ($source is null or metric_source = upper($source))
        and ($window is null or "window" = $window)"""


def _numbers(ask: Ask, kind: str, found: dict, about: dict) -> Answer:
    given = {"entity": found[f"{kind}_id"]}
    sql = f"""
        select {KEY_METRIC}
        from oso.key_metrics_by_{kind}_v1
        where {kind}_id = $entity {_only(ask, kind, given)}
        order by metric_name"""
    return Answer(sql, given, about)
