"""Projects, collections or artifacts ranked by a metric, with columns of others beside; the address is the question."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.rest.endpoint import Parameter
from consumer.rest.entities import KINDS, find, known
from consumer.rest.formats import FORMS, as_csv, as_json, as_parquet
from consumer.site.fields import fields
from consumer.site.finding import address
from consumer.site.pages import page

SHOWN = 50
MOST_COLUMNS = 6
USUAL = ("GITHUB_commits", "over_30_day_period")
QUALITIES = {"ok": "ok", "partial": "partial", "none": "without a number"}
PARTS = ("previous_amount", "unit", "sample_date", "quality", "coverage")
ASKED = (
    Parameter("kind", "What is ranked", default="project", allowed=KINDS),
    Parameter("metric", "Full name, or source and name, of the metric that ranks"),
    Parameter("window", "Window of every metric that is named without one"),
    Parameter("collection", "Only members of this collection"),
    Parameter("source", "Only what has artifacts of this source"),
    Parameter("quality", "Only numbers of this quality", allowed=tuple(QUALITIES)),
    Parameter("min", "Least amount", "number"),
    Parameter("order", "desc: the largest first", default="desc", allowed=("desc", "asc")),
    Parameter("page", "Which fifty", "integer", bounds=(1, 1_000_000)),
)


@dataclass(frozen=True)
class Choices:
    """What can be asked of one kind: by full name its metrics that have newest numbers; sources and collections."""

    metrics: dict[str, dict]
    sources: list[str]
    collections: list[str]

    @property
    def bases(self) -> dict[str, str]:
        """The metrics without their windows, such as GITHUB_commits, each with its name for people."""
        found = {base(row): row["display_name"] for row in self.metrics.values()}
        return dict(sorted(found.items(), key=lambda one: one[1]))

    @property
    def by_source(self) -> dict[str, list[tuple[str, str]]]:
        """`bases` by source, pairs of name and name for people."""
        of: dict[str, list] = {row["metric_source"]: [] for row in self.metrics.values()}
        sources = {base(row): row["metric_source"] for row in self.metrics.values()}
        for name, shown in self.bases.items():
            of[sources[name]].append((name, shown))
        return of

    @property
    def windows(self) -> list[str]:
        """The windows, the shorter first."""
        found = {row["window"] for row in self.metrics.values()}
        return sorted(found, key=lambda name: (name == "over_all_time", len(name), name))


@dataclass(frozen=True)
class Question:
    """A checked question; `metrics` are rows of metrics_v1, the first of which ranks."""

    kind: str
    metrics: list[dict]
    values: dict

    @property
    def sql(self) -> str:
        """The query of the list, without a bound on its rows; its parameters are `given`."""
        order = self.values["order"]
        rank = "null::bigint" if self.values["quality"] == "none" else f"rank() over (order by m0.amount {order})"
        columns = ", ".join(
            f'm{n}.amount as "{name}", ' + ", ".join(f'm{n}.{part} as "{name}_{part}"' for part in PARTS)
            for n, name in enumerate(row["metric_name"].replace('"', "") for row in self.metrics)
        )
        kind = self.kind
        beside = "".join(
            f" left join (select * from oso.key_metrics_by_{kind}_v1 where metric_id = $m{n}) as m{n}"
            f" on m0.{kind}_id = m{n}.{kind}_id"
            for n in range(1, len(self.metrics))
        )
        shown = f"entities.{kind}_name" if kind == "artifact" else "entities.display_name"
        return f"""
            select {rank} as rank, entities.{kind}_id as id, entities.{kind}_source as source,
                entities.{kind}_namespace as namespace, entities.{kind}_name as name, {shown} as display_name,
                {columns}
            from (select * from oso.key_metrics_by_{kind}_v1 where metric_id = $m0) as m0
            inner join oso.{kind}s_v1 as entities on m0.{kind}_id = entities.{kind}_id {beside}
            where {self._filter} and {self._quality}
            order by rank, namespace, name, id"""

    @property
    def counted(self) -> str:
        """The query of how many are in the list, and how many more are without a number."""
        return f"""
            select count(*) filter (where {self._quality}) as rows, count(*) - count(m0.amount) as without
            from oso.key_metrics_by_{self.kind}_v1 as m0
            where metric_id = $m0 and {self._filter}"""

    @property
    def given(self) -> dict:
        """The parameters of both queries, those that `sql` names."""
        return {f"m{n}": row["metric_id"] for n, row in enumerate(self.metrics)} | self._filters

    @property
    def _filters(self) -> dict:
        named = ("min", "collection_id", "source")
        return {name: self.values[name] for name in named if self.values.get(name) is not None}

    @property
    def _filter(self) -> str:
        kind, wanted = self.kind, ["true"]
        if "collection_id" in self._filters:
            members = f"select {kind}_id from oso.{kind}s_by_collection_v1 where collection_id = $collection_id"
            wanted.append(f"m0.{kind}_id in ({members})")
        if "source" in self._filters:
            of = "artifacts_v1" if kind == "artifact" else f"artifacts_by_{kind}_v1"
            wanted.append(f"m0.{kind}_id in (select {kind}_id from oso.{of} where artifact_source = upper($source))")
        return " and ".join(wanted)

    @property
    def _quality(self) -> str:
        if self.values["quality"] == "none":
            return "m0.amount is null"
        wanted = ["m0.amount is not null"]
        if self.values["quality"]:
            wanted.append(f"m0.quality = '{self.values['quality']}'")
        if "min" in self._filters:
            wanted.append("m0.amount >= $min")
        return " and ".join(wanted)


def routes() -> list[Route]:
    """The routes of the page and of its rows as files."""
    return [Route("/explore", _explore), *(Route(f"/explore.{form}", _file(form)) for form in FORMS)]


def question(request: Request) -> Question:
    """What the address asks.

    Raises:
        Problem: 400, it names something that there is not; the answer says what there is.
    """
    bundle: Bundle = request.state.bundle
    values = fields(request, *ASKED)
    kind = values["kind"]
    if values["min"] is not None and not math.isfinite(values["min"]):
        raise Problem(400, f"min={values['min']} is not a number that an amount can be at least.", parameter="min")
    if values["quality"] == "none" and values["min"] is not None:
        raise Problem(400, "What is without a number has no least amount; leave `min` or `quality` out.")
    if values["collection"]:
        if kind == "collection":
            raise Problem(400, "Collections are not in collections; leave `collection` out.", parameter="collection")
        values["collection_id"] = find(bundle, "collection", values["collection"], status=400)["collection_id"]
    named = [text for text in request.query_params.getlist("also") if text.strip()]
    can = choices(bundle, kind)
    if not can.metrics:
        return Question(kind, [], values)
    first = values["metric"] or (USUAL[0] if USUAL[0] in can.bases else next(iter(can.bases)))
    metrics = [_metric(can, text, values["window"]) for text in (first, *named)]
    distinct = [*{row["metric_id"]: row for row in metrics}.values()]
    if len(distinct) > MOST_COLUMNS:
        raise Problem(400, f"{len(distinct)} metrics are asked for; {MOST_COLUMNS} is the most.", parameter="also")
    return Question(kind, distinct, values)


def base(row: dict) -> str:
    """The name of a metric without its window, such as GITHUB_commits."""
    return f"{row['metric_source']}_{row['metric']}"


_CHOICES: WeakKeyDictionary[Bundle, dict[str, Choices]] = WeakKeyDictionary()


def choices(bundle: Bundle, kind: str) -> Choices:
    """What can be asked of a kind, read once."""
    of_bundle = _CHOICES.setdefault(bundle, {})
    if kind not in of_bundle:
        ids = bundle.rows(f"select distinct metric_id from oso.key_metrics_by_{kind}_v1")
        metrics = sorted(
            (known(bundle).metrics[row["metric_id"]] for row in ids if row["metric_id"] in known(bundle).metrics),
            key=lambda row: row["metric_name"],
        )
        sources = bundle.rows("select distinct artifact_source as source from oso.artifacts_v1 order by 1")
        names = bundle.rows("select collection_name as name from oso.collections_v1 order by 1 limit 1000")
        of_bundle[kind] = Choices(
            {row["metric_name"]: row for row in metrics},
            [row["source"] for row in sources],
            [row["name"] for row in names],
        )
    return of_bundle[kind]


def _metric(can: Choices, text: str, window: str | None) -> dict:
    """The metric of a full name, or of source and name in the window, or else in one that it has."""
    by_name = {name.lower(): row for name, row in can.metrics.items()}
    wanted = text.strip().lower()
    if wanted in by_name:
        return by_name[wanted]
    of_base = {row["window"]: row for row in can.metrics.values() if wanted in (base(row).lower(), row["metric"])}
    if not of_base:
        raise Problem(400, f"There is no metric {text[:80]!r} to rank by.", parameter="metric", allowed=[*can.bases])
    if window and window not in can.windows:
        raise Problem(400, f"There is no window {window[:60]!r}.", parameter="window", allowed=can.windows)
    return of_base.get(window or USUAL[1]) or of_base[min(of_base)]


def _explore(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    asked = question(request)
    about = "Rank projects, collections and artifacts by any metric, filter them, put other metrics beside."
    can = choices(bundle, asked.kind)
    if not asked.metrics:
        return page(request, "explore.html", about=about, asked=asked, kinds=KINDS, can=can)
    at = asked.values["page"] or 1
    rows = bundle.rows(f"{asked.sql} limit {SHOWN} offset {SHOWN * (at - 1)}", asked.given)
    (counted,) = bundle.rows(asked.counted, {"m0": asked.given["m0"], **asked._filters})
    return page(
        request,
        "explore.html",
        about=about,
        asked=asked,
        kinds=KINDS,
        can=can,
        qualities=QUALITIES,
        rows=[_shown(bundle, asked, row) for row in rows],
        counted=counted,
        at=at,
        first=SHOWN * (at - 1) + 1,
        pages=max(1, -(-counted["rows"] // SHOWN)),
        most_columns=MOST_COLUMNS,
        window=asked.metrics[0]["window"],
        base=base,
        beside=[base(row) for row in asked.metrics[1:]],
        link=lambda **other: _link(asked, **other),
    )


def _shown(bundle: Bundle, asked: Question, row: dict) -> dict:
    kind = asked.kind
    entity = {f"{kind}_{part}": row[part] for part in ("id", "source", "namespace", "name")}
    names = [metric["metric_name"].replace('"', "") for metric in asked.metrics]
    cells = [
        None if row[f"{name}_unit"] is None else {"amount": row[name]} | {part: row[f"{name}_{part}"] for part in PARTS}
        for name in names
    ]
    of = f"{row['namespace']}/" if kind == "artifact" and row["namespace"] else ""
    return {
        "rank": row["rank"],
        "display_name": of + row["display_name"],
        "source": row["source"],
        "address": address(bundle, kind, entity),
        "cells": cells,
    }


def _link(asked: Question, **other) -> str:
    """The query of the same question with other values; the metrics by their full names, so that it means the same."""
    values = {name: asked.values[name] for name in ("kind", "collection", "source", "quality", "min", "order")}
    names = other.pop("metrics", [row["metric_name"] for row in asked.metrics])
    values |= {"metric": names[0], "also": names[1:]} | other
    usual = {"order": "desc", "kind": None}
    return "?" + urlencode({k: v for k, v in values.items() if v not in (None, [], usual.get(k))}, doseq=True)


def _file(form: str):
    def rows(request: Request) -> Response:
        """The rows of the list, all or those of `page`, as a file."""
        bundle, caller = request.state.bundle, request.state.caller
        asked = question(request)
        if not asked.metrics:
            raise Problem(404, f"This release has no newest numbers of a {asked.kind}.")
        caller.check("read")
        at = asked.values["page"]
        sql = asked.sql + (f" limit {SHOWN} offset {SHOWN * (at - 1)}" if at else "")
        if form == "json":
            found = bundle.rows(sql, asked.given)
            caller.spend(rows=len(found))
            document = {"release": bundle.release_id, "published_at": bundle.published_at, "as_of": bundle.as_of}
            return Response(as_json(document | {"metrics": asked.metrics, "data": found}), media_type=FORMS[form])
        reader = bundle.batches(sql, asked.given)

        def counted() -> Iterator:
            for batch in reader:
                caller.spend(rows=len(batch))
                yield batch

        blocks = as_csv(counted(), reader.schema) if form == "csv" else as_parquet(counted(), reader.schema, bundle)
        name = f'inline; filename="{asked.kind}s.{form}"'
        return StreamingResponse(blocks, media_type=FORMS[form], headers={"Content-Disposition": name})

    return rows
