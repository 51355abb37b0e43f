"""Finding a project, a collection, an artifact or a metric by what people call it."""

import re
from collections import defaultdict
from weakref import WeakKeyDictionary

from consumer.bundle import Bundle
from consumer.problems import Problem

_ID = re.compile("[0-9a-f]{32}")
FEWEST_ALIKE = 0.88  # of jaro_winkler_similarity: one letter wrong in a name of six


class Known:
    """What is small and asked for all the time: the metrics by id, the names of projects and collections.

    `ids` has the ids by kind and name or id, `named` what `named` returns by kind and id.
    """

    def __init__(self, bundle: Bundle) -> None:
        found = bundle.rows(f"select {METRIC}, levels, families from oso.metrics_v1 order by metric_name")
        self.metrics = {row["metric_id"]: row for row in found}
        self.ids: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.named: dict[tuple[str, str], dict] = {}
        for kind in ("project", "collection"):
            columns = ", ".join(f"{kind}_{part}" for part in NAMES)
            for row in bundle.rows(f"select {columns} from oso.{kind}s_v1"):
                identity, name = row[f"{kind}_id"], row[f"{kind}_name"]
                self.named[kind, identity] = row
                for text in (identity, name and name.lower()):
                    self.ids[kind, text].add(identity)


NAMES = ("id", "source", "namespace", "name")  # the columns, as {kind}_id, that say what an entity is
KINDS = ("project", "collection", "artifact")  # each has a table of all of them, <kind>s_v1
_KNOWN: WeakKeyDictionary[Bundle, Known] = WeakKeyDictionary()
METRIC = 'metric_id, metric, metric_source, "window", metric_name, display_name, definition, unit, row_class'


def known(bundle: Bundle) -> Known:
    """What is known of a bundle, read from it once."""
    if bundle not in _KNOWN:
        _KNOWN[bundle] = Known(bundle)
    return _KNOWN[bundle]


def find(bundle: Bundle, kind: str, text: str, source: str | None = None, status: int = 404) -> dict:
    """The row of the entity that `text` is the id, name or namespace/name of; an artifact's also its address or URL.

    Raises:
        Problem: there is none (`status`), with names that are alike, or there are several (400), with their ids.
    """
    identity, name, namespace = (f"{kind}_{part}" for part in ("id", "name", "namespace"))
    ids = known(bundle).ids.get((kind, text.lower()), ())
    if len(ids) == 1 and source is None:
        return bundle.rows(f"select * from oso.{kind}s_v1 where {identity} = ?", [*ids])[0]
    left, _, right = plain(text).rpartition("/")
    asked = {"text": plain(text), "left": left, "right": right, "source": source}
    matches = (
        f"{identity} = $text",
        f"({name} = $text or ({namespace} = $left and {name} = $right))",
        f"(lower({name}) = lower($text) or (lower({namespace}) = lower($left) and lower({name}) = lower($right)))",
    )
    # the first that finds any is meant, and what is not of an id's form is hardly an id
    for match in matches if _ID.fullmatch(text) else (*matches[1:], matches[0]):
        sql = f"""
            select * from oso.{kind}s_v1
            where {match} and {kind}_source = coalesce(upper($source), {kind}_source)
            order by {identity}
            limit 11"""
        found = bundle.rows(sql, {key: value for key, value in asked.items() if f"${key}" in sql})
        if len(found) == 1:
            return found[0]
        if found:
            raise Problem(
                400,
                f"{text!r} names several {kind}s; ask for one of `candidates` by its id.",
                candidates=[{key: row[key] for key in (identity, f"{kind}_source", namespace, name)} for row in found],
            )
    alike = [row["name"] for row in bundle.rows(*search(text, kind, 5))]
    raise Problem(status, f"There is no {kind} {text!r} in this release. /api/v1/search finds names.", candidates=alike)


def named(bundle: Bundle, kind: str, text: str) -> dict:
    """As `find` of a name that a parameter gives (400), with NAMES alone; no query where the bundle's names tell it."""
    ids = known(bundle).ids.get((kind, text.lower()), ())
    if len(ids) == 1:
        return known(bundle).named[kind, *ids]
    row = find(bundle, kind, text, status=400)
    return {key: row[key] for key in (f"{kind}_{part}" for part in NAMES)}


def metrics(bundle: Bundle, text: str, kind: str, source: str | None = None, window: str | None = None) -> list[dict]:
    """The metrics, one row per window, whose id, full name (GITHUB_commits_daily) or name (commits) `text` is.

    Raises:
        Problem: 400, there is none for this kind of entity; the answer lists those that there are.
    """
    of_kind = [row for row in known(bundle).metrics.values() if kind in row["levels"]]
    found = [
        {key: value for key, value in row.items() if key not in ("levels", "families")}
        for row in of_kind
        if text == row["metric_id"] or text.lower() in (row["metric_name"].lower(), row["metric"])
        if source is None or row["metric_source"] == source.upper()
        if window is None or row["window"] == window
    ]
    if found:
        return found
    told = "".join(f", {what} {value}" for what, value in (("source", source), ("window", window)) if value)
    raise Problem(
        400,
        f"There is no metric {text!r}{told} of {kind}s. /api/v1/metrics lists all with their windows.",
        parameter="metric",
        allowed=sorted({row["metric"] for row in of_kind}),
    )


def plain(text: str) -> str:
    """`text` without what surrounds a name in an address of GitHub or npm."""
    for before in ("https://", "http://", "www.", "github.com/", "npmjs.com/package/"):
        text = text.removeprefix(before)
    return text.rstrip("/").removesuffix(".git") or text


def search(text: str, kind: str | None, limit: int) -> tuple[str, dict]:
    """The query, and its parameters, for what is called like `text`, the most alike first.

    Rows of kind, id, name, display_name, source and score: 1 is the very name or id, above 0.9 the name begins with or
    holds the text, else how alike the two are.
    """
    named = " union all ".join(
        f"""
        select '{one}' as kind, {one}_id as id, {_full_name(one)} as name, {label} as display_name,
            {one}_source as source, lower({one}_name) as bare
        from oso.{one}s_v1"""
        for one, label in (("project", "display_name"), ("collection", "display_name"), ("artifact", "null"))
    )
    sql = f"""
        with named as (
            {named}
            union all
            select 'metric', metric_id, metric_name, display_name, metric_source, metric from oso.metrics_v1
        ),
        scored as (
            select
                kind, id, name, display_name, source,
                case
                    when id = $text or bare = $text or lower(name) = $text or lower(display_name) = $text then 1.0
                    when starts_with(bare, $text) or starts_with(lower(name), $text) then 0.97
                    when contains(lower(name), $text) or contains(lower(display_name), $text) then 0.92
                    else 0.9 * greatest(
                        jaro_winkler_similarity(bare, $text), jaro_winkler_similarity(lower(name), $text),
                        coalesce(jaro_winkler_similarity(lower(display_name), $text), 0))
                end as score
            from named
            where $kind is null or kind = $kind
        )
        select kind, id, name, display_name, source, round(score, 3) as score
        from scored
        where score >= {0.9 * FEWEST_ALIKE}
        order by score desc, length(name), kind, name, id
        limit {int(limit)}"""
    return sql, {"text": plain(text).lower(), "kind": kind}


def _full_name(kind: str) -> str:
    if kind != "artifact":
        return f"{kind}_name"
    return "case when artifact_namespace = '' then artifact_name else artifact_namespace || '/' || artifact_name end"
