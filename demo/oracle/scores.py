"""Scores of impact vectors by section 5 of the catalogue, over amounts that the oracles count by brute force."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from demo.oracle import Oracle, entities, entity_id, metrics, others, windows
from demo.oracle.windows import Window

Amount = float | None


@dataclass(frozen=True, slots=True)
class Newest:
    """What a metric tells of a project in the newest whole window and in the one before; None is unknown."""

    sample_date: date | None
    amount: Amount
    previous: Amount


NOTHING, UNKNOWN = Newest(None, 0.0, 0.0), Newest(None, None, None)
Value = Callable[[str, str, str, str], Newest]  # of a project, source, metric and window word


@dataclass(frozen=True, slots=True)
class Score:
    """A row of scores_by_project_v1; components are (metric, source, variant, x, n, weight)."""

    sample_date: date | None
    score: Amount
    share: Amount
    rank: int | None
    missing_share: float
    components: list[tuple[str, str, str, Amount, Amount, float]]


def scores(vector: Mapping, projects: Iterable[str], value: Value) -> dict[str, Score]:
    """The score of each project by a weights file as it stands in YAML; sample_date is None where nothing has data."""
    projects = list(projects)
    terms = [
        (part["source"], part["metric"], variant, part["weight"] * weight)
        for part in vector["metrics"]
        for variant, weight in vector["variants"].items()
        if part["weight"] * weight
    ]
    newest = {
        (project, source, metric): value(project, source, metric, vector["window"])
        for project in projects
        for source, metric, *_ in terms
    }
    logarithm = vector["transform"] == "log1p"
    places: dict[str, list[tuple[Amount, Amount]]] = {project: [] for project in projects}
    for source, metric, variant, _ in terms:
        xs = {project: _gain(variant, newest[project, source, metric], logarithm) for project in projects}
        known = [x for x in xs.values() if x is not None]
        for project, x in xs.items():
            places[project].append((x, None if x is None else _place(x, min(known), max(known))))
    weights = [weight for *_, weight in terms]
    found = {p: _mean([n for _, n in places[p]], weights, vector.get("p", 2)) for p in projects}
    missing = {p: math.fsum(w for w, (_, n) in zip(weights, places[p], strict=True) if n is None) for p in projects}
    shares = {project: lost / math.fsum(weights) for project, lost in missing.items()}
    for project, share in shares.items():
        if share > vector.get("max_missing", 0.5) and not math.isclose(share, vector.get("max_missing", 0.5)):
            found[project] = None
    whole = math.fsum(score for score in found.values() if score is not None)
    days = [one.sample_date for one in newest.values() if one.sample_date]
    return {
        project: Score(
            min(days, default=None),
            score,
            score and (score / whole if whole else 0.0),
            None if score is None else 1 + sum(_beats(other, score) for other in found.values()),
            shares[project],
            [(m, s, v, *at, w) for (s, m, v, w), at in zip(terms, places[project], strict=True)],
        )
        for project, score in found.items()
    }


def _gain(variant: str, one: Newest, logarithm: bool) -> Amount:
    """Steps 1 and 2: the variant of a pair of amounts."""
    if one.amount is None or (variant != "adoption" and one.previous is None):
        return None
    gain = {
        "adoption": lambda: one.amount,
        "growth": lambda: one.amount - one.previous,
        "retention": lambda: min(one.amount, one.previous),
    }[variant]()
    return math.log1p(max(0.0, gain)) if logarithm else max(0.0, float(gain))


def _place(x: float, low: float, high: float) -> float:
    """Step 3."""
    return (x - low) / (high - low) if high > low else float(high > 0)


def _mean(places: list[Amount], weights: list[float], p: float) -> Amount:
    """Step 4: the power mean of what is known."""
    known = [(n, weight) for n, weight in zip(places, weights, strict=True) if n is not None]
    if not known:
        return None
    return (math.fsum(w * n**p for n, w in known) / math.fsum(w for _, w in known)) ** (1 / p)


def _beats(one: Amount, other: float) -> bool:
    return one is not None and one > other and not math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-14)


def of_github(oracle: Oracle, listed: Mapping[str, list[str]]) -> Value:
    """Values of GITHUB. `listed` are each project's GitHub addresses; of a project whose repositories nobody saw all
    is unknown."""
    owned = {entity.name: entity for entity in oracle.entities if entity.level == "project"}
    known = {metric.name: metric for metric in metrics.METRICS}

    def value(project: str, source: str, name: str, word: str) -> Newest:
        metric, entity = known[name], owned.get(project)
        as_of = oracle.coverage.as_of(metric.families)
        if entity is None or as_of is None:
            return UNKNOWN if entity or _unseen(listed.get(project, []), oracle) else NOTHING
        return _newest(
            word,
            as_of,
            lambda window: oracle.graded(entity, metric, window, as_of)[0],
            lambda window: metric.value(entity.view(window, as_of)),
        )

    return value


def _unseen(urls: list[str], oracle: Oracle) -> bool:
    """Whether addresses of repositories or owners are listed, but no such repository was seen."""
    names = {name.lower() for names in oracle.aliases.values() for name in names}
    seen = names | {name.partition("/")[0] for name in names}
    found = set(filter(None, map(entities.normalised, urls)))
    return bool(found) and not found & seen


def of_others(truth: others.Others) -> Value:
    """Values of npm, Open Collective and the chains."""
    held = {
        (its_id, source): (members, facts)
        for level, its_id, source, members, facts in truth.by_source()
        if level == "project"
    }
    known = {(source, metric.name): metric for source, its in others.METRICS.items() for metric in its}

    def value(project: str, source: str, name: str, word: str) -> Newest:
        if (entity_id("project", project), source) not in held:
            return NOTHING
        metric, (members, facts) = known[source, name], held[entity_id("project", project), source]
        days = [fact.day for fact in facts]
        return _newest(
            word,
            truth.as_of(source, metric),
            lambda window: truth.graded(source, metric, members, window)[0],
            lambda window: truth.value(source, metric, facts, days, window)[0],
        )

    return value


def _newest(word: str, as_of: date, quality: Callable[[Window], str], amount: Callable[[Window], Amount]) -> Newest:
    """Step 1: what is absent from a known window is 0."""

    def dense(window: Window | None) -> Amount:
        return None if window is None or quality(window) == "unknown" else float(amount(window) or 0)

    window = windows.newest(word, as_of)
    return Newest(window.sample_date, dense(window), dense(window.previous()))
