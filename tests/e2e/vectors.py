"""Impact vectors of a built world, the shipped ones and some of a test's own, against the oracle's scores."""

import json
import shutil

import pytest
import yaml

from demo.oracle import entity_id, scores
from demo.world import world
from include.transform import vectors


def vector(id, window, metrics, **more):
    """A weights file as a dict; a metric without a source is GITHUB's, the n-th weighs n."""
    parts = [
        dict(zip(("source", "metric"), name.split() if " " in name else ("GITHUB", name), strict=True)) | {"weight": n}
        for n, name in enumerate(metrics, 1)
    ]
    usual = {"entities": "all", "transform": "none", "variants": {"adoption": 0.5, "growth": 0.2, "retention": 0.3}}
    return usual | {"id": id, "window": window, "metrics": parts} | more


def with_vectors(monkeypatch, folder, more):
    """Makes builds read the shipped vectors and `more`, from `folder`."""
    shutil.copytree(vectors.FOLDER, folder, dirs_exist_ok=True)
    for one in more:
        (folder / f"{one['id']}.yml").write_text(yaml.safe_dump(one))
    monkeypatch.setattr(vectors, "FOLDER", folder)


def shipped():
    """The weights files of the project."""
    return [yaml.safe_load(path.read_text()) for path in sorted((vectors.DBT_PROJECT / "vectors").glob("*.yml"))]


def assert_true_scores(published, value, compared):
    """Compares rows of scores_by_project_v1 with the true scores of the vectors `compared`; returns those."""
    found, true = {}, {}
    for row in published:
        found.setdefault(row["vector_id"], {})[row["project_id"]] = row
    for one in compared:
        chosen = next((c.projects for c in world().collections if c.name == one["entities"]), None)
        names = {p.name for p in world().projects if chosen is None or p.name in chosen}
        true[one["id"]] = scores.scores(one, sorted(names), value)
        expected = {entity_id("project", name): score for name, score in true[one["id"]].items()}
        assert found[one["id"]].keys() == expected.keys()
        for its_id, score in expected.items():
            assert_same(found[one["id"]][its_id], score, one)
    assert found.keys() - true.keys() <= {one["id"] for one in shipped()}
    return true


def assert_same(row, score, one):
    where = f"{one['id']} {row['project_id']}: {row}"
    assert row["window"] == one["window"]
    assert score.sample_date in (None, row["sample_date"]), where
    assert row["rank"] == score.rank, where
    for name in ("score", "share", "missing_share"):
        assert same(row[name], getattr(score, name)), where
    terms = json.loads(row["components"])
    assert [tuple(term)[:3] for term in terms] == [("metric", "source", "variant")] * len(score.components)
    assert [tuple(term.values())[:3] for term in terms] == [term[:3] for term in score.components], where
    for term, wanted in zip(terms, score.components, strict=True):
        assert all(map(same, (term["x"], term["n"], term["weight"]), wanted[3:])), f"{term} {wanted} {where}"


def same(found, wanted):
    return found is wanted if found is None or wanted is None else found == pytest.approx(wanted, rel=1e-9, abs=1e-15)
