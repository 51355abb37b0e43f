"""Impact vectors: each project's scores as published, and the same arithmetic (docs/vectors.md) with other weights."""

import functools
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import orjson
from msgspec import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.rest.endpoint import Parameter
from consumer.site.fields import fields, given
from consumer.site.finding import address, entity
from consumer.site.pages import page

FOLDER = Path(__file__).parents[2] / "dbt/vectors"
SHOWN = 100
MOST = 1000.0
NONE_LOST = 1e-12  # a share of missing weight that is as great as allowed may come out a last bit greater
ASKED = (
    Parameter("vector", "Id of the impact vector"),
    Parameter("project", "Name of a project, to see what its scores are made of"),
    Parameter("page", "Which hundred", "integer", default=1, bounds=(1, 100_000)),
)
_VECTORS = """
    select
        vector_id, any_value(vector_version) as version, any_value("window") as "window",
        max(sample_date) as sample_date, count(*) as projects, count(score) as scored
    from oso.scores_by_project_v1
    group by vector_id
    order by vector_id <> 'overall_impact', vector_id"""
_SCORES = """
    select project_id, project_source, project_namespace, project_name, display_name, score, share, rank,
        missing_share
    from oso.scores_by_project_v1
    inner join oso.projects_v1 using (project_id)
    where vector_id = ?
    order by rank nulls last, project_name, project_id"""
_COMPONENTS = "select project_id, components from oso.scores_by_project_v1 where vector_id = ? order by project_id"
_OF_PROJECT = "select * from oso.scores_by_project_v1 where project_id = ? order by vector_id"


@dataclass(frozen=True)
class Weights:
    """A weights file; `metrics` has the weight by "SOURCE.metric", `variants` by variant, both without those of 0."""

    version: str
    entities: str
    transform: str
    p: float
    max_missing: float
    metrics: dict[str, float]
    variants: dict[str, float]

    def of(self, term: dict) -> float:
        """The weight of a component: that of its metric multiplied by that of its variant."""
        return self.metrics[f"{term['source']}.{term['metric']}"] * self.variants[term["variant"]]

    def changed(self, request: Request) -> "Weights":
        """These weights with those that the address of a page gives in their place.

        Raises:
            Problem: 400, one is no number that a weight can be, or all are 0.
        """
        moved = Weights(
            self.version,
            self.entities,
            self.transform,
            _number(request, "p", self.p, 0.1, 10.0),
            self.max_missing,
            {name: _number(request, name, weight, 0.0, MOST) for name, weight in self.metrics.items()},
            {name: _number(request, name, weight, 0.0, MOST) for name, weight in self.variants.items()},
        )
        if not math.fsum(moved.metrics.values()) or not math.fsum(moved.variants.values()):
            raise Problem(400, "All weights are 0; give at least one metric and one variant a weight above 0.")
        return moved


def routes() -> list[Route]:
    """The route of the page of scores."""
    return [Route("/scores", _scores)]


@functools.cache
def published(folder: Path) -> dict[str, Weights]:
    """The weights files of a folder by id; what is none is left out, for the build says what is wrong with it."""
    found = {}
    for path in sorted(folder.glob("*.y*ml")):
        body = path.read_bytes()
        try:
            file = yaml.decode(body)
            metrics = {f"{one['source']}.{one['metric']}": float(one["weight"]) for one in file["metrics"]}
            found[file["id"]] = Weights(
                hashlib.sha256(body).hexdigest(),
                file["entities"],
                file["transform"],
                float(file.get("p", 2)),
                float(file.get("max_missing", 0.5)),
                {name: weight for name, weight in metrics.items() if weight},
                {name: float(weight) for name, weight in file["variants"].items() if weight},
            )
        except (ValueError, KeyError, TypeError):
            continue
    return found


def score(terms: list[dict], weights: Weights) -> tuple[float | None, float]:
    """Score and share of the weight that is unknown, from components with source, metric, variant and n.

    The score is None where more is unknown than the weights file allows.
    """
    total = known = missing = 0.0
    for term in terms:
        weight = weights.of(term)
        if term["n"] is None:
            missing += weight
        else:
            total += weight * term["n"] ** weights.p
            known += weight
    share = missing / (known + missing)
    if not known or share > weights.max_missing + NONE_LOST:
        return None, share
    return (total / known) ** (1 / weights.p), share


def scored(terms_by_project: dict[str, list[dict]], weights: Weights) -> dict[str, dict]:
    """score, share, rank and missing_share of each project by its id."""
    found = {}
    for key, terms in sorted(terms_by_project.items()):
        value, missing = score(terms, weights)
        found[key] = {"score": value, "missing_share": missing, "share": None, "rank": None}
    with_score = [row for row in found.values() if row["score"] is not None]
    whole = sum(row["score"] for row in with_score)
    place, before = 0, None
    for n, row in enumerate(sorted(with_score, key=lambda row: -round(row["score"], 14)), 1):
        if round(row["score"], 14) != before:
            place, before = n, round(row["score"], 14)
        row |= {"rank": place, "share": row["score"] / whole if whole else 0.0}
    return found


def _scores(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    asked = fields(request, *ASKED)
    vectors = {row["vector_id"]: row for row in bundle.rows(_VECTORS)}
    about = "What is compared, how it is weighted, and what a score says and does not say."
    if not vectors:
        return page(request, "scores.html", about=about, vector=None)
    if asked["vector"] and asked["vector"] not in vectors:
        raise Problem(404, f"There is no impact vector {asked['vector'][:60]!r}.", candidates=[*vectors])
    vector = vectors[asked["vector"] or next(iter(vectors))]
    file = published(FOLDER).get(vector["vector_id"])
    file = file if file and file.version == vector["version"] else None
    moved = file.changed(request) if file else None
    rows = bundle.rows(_SCORES, [vector["vector_id"]])
    if moved != file:
        anew = scored(_terms(bundle, vector["vector_id"]), moved)
        rows = [row | {"was": row["rank"]} | anew[row["project_id"]] for row in rows]
        rows.sort(key=lambda row: (row["rank"] is None, row["rank"], row["project_name"]))
    first = SHOWN * (asked["page"] - 1)
    project = entity(bundle, "project", asked["project"]) if asked["project"] else None
    return page(
        request,
        "scores.html",
        about=about,
        vectors=[*vectors.values()],
        vector=vector,
        file=file,
        weights=moved,
        is_moved=moved != file,
        rows=[row | {"address": address(bundle, "project", row)} for row in rows[first : first + SHOWN]],
        pages=-(-len(rows) // SHOWN),
        at=asked["page"],
        link=_link(request),
        project=project,
        made_of=_made_of(bundle, project["project_id"]) if project else [],
        names={f"{row['metric_source']}.{row['metric']}": row["display_name"] for row in _names(bundle)},
    )


def _made_of(bundle: Bundle, project_id: str) -> list[dict]:
    """The published scores of a project, each with its components and what each of them adds to the mean."""
    found = bundle.rows(_OF_PROJECT, [project_id])
    for row in found:
        row["terms"] = orjson.loads(row["components"])
    return found


_TERMS: WeakKeyDictionary[Bundle, dict[str, dict[str, list[dict]]]] = WeakKeyDictionary()


def _terms(bundle: Bundle, vector_id: str) -> dict[str, list[dict]]:
    """The components of a vector by project, read once."""
    of_bundle = _TERMS.setdefault(bundle, {})
    if vector_id not in of_bundle:
        rows = bundle.rows(_COMPONENTS, [vector_id])
        of_bundle[vector_id] = {row["project_id"]: orjson.loads(row["components"]) for row in rows}
    return of_bundle[vector_id]


def _names(bundle: Bundle) -> list[dict]:
    return bundle.rows("select distinct metric_source, metric, display_name from oso.metrics_v1")


def _number(request: Request, name: str, default: float, least: float, most: float) -> float:
    text = given(request, name)
    try:
        value = float(text) if text else default
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise Problem(400, f"{name}={text[:60]} is not a number from {least:g} to {most:g}.", parameter=name)
    return value


def _link(request: Request):
    """A function that gives the address of this page with other values."""
    return lambda **other: "?" + str(request.url.include_query_params(**other).query)
