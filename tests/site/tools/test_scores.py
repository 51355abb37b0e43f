"""Scores with other weights, by the arithmetic of docs/vectors.md; all values worked out by hand."""

from math import sqrt

import pytest

from consumer.site.scores import FOLDER, Weights, _terms, published, score, scored
from include.transform.vectors import read_vector

# weights of commits (adoption, growth) and stars (adoption, growth): 2, 1, 1, 0.5
FILE = Weights(
    "", "all", "none", 2.0, 0.5, {"GITHUB.commits": 2.0, "GITHUB.stars": 1.0}, {"adoption": 1.0, "growth": 0.5}
)


def other(**changes) -> Weights:
    return Weights(**{**FILE.__dict__, **changes})


@pytest.mark.parametrize(
    ("weights", "of_beta"),
    [
        (FILE, sqrt((2 * 0.25 + 1 * 1) / 3)),
        (other(p=1.0), (2 * 0.5 + 1) / 3),
        (other(metrics={"GITHUB.commits": 4.0, "GITHUB.stars": 0.0}), sqrt((4 * 0.25 + 2) / 6)),
        (other(variants={"adoption": 1.0, "growth": 0.0}), 0.5),
    ],
)
def test_the_score_is_the_weighted_power_mean_of_what_is_known(tools, weights, of_beta):
    value, _ = score(_terms(tools.serving.bundle, "hand")["p2"], weights)
    assert value == pytest.approx(of_beta, abs=1e-15)


def test_unknown_weight_is_left_out_and_above_the_bound_there_is_no_score(tools):
    terms = _terms(tools.serving.bundle, "hand")
    assert score(terms["p2"], FILE)[1] == pytest.approx(1.5 / 4.5)
    assert score(terms["p3"], FILE) == (None, pytest.approx(3 / 4.5))
    assert score(terms["p3"], other(metrics={"GITHUB.commits": 1.0, "GITHUB.stars": 1.0})) == (
        pytest.approx(sqrt(0.5 * 0.0625 / 1.5)),
        0.5,
    )
    assert score(terms["p3"], other(metrics={"GITHUB.commits": 1.0, "GITHUB.stars": 0.0})) == (None, 1.0)


def test_equal_scores_share_a_rank_and_shares_sum_up_to_one():
    terms = {
        key: [{"source": "GITHUB", "metric": "commits", "variant": "adoption", "n": n}]
        for key, n in (("a", 1.0), ("b", 0.5), ("c", 0.5 + 1e-16), ("d", 0.25), ("e", None))
    }
    found = scored(terms, FILE)
    assert [found[key]["rank"] for key in "abcde"] == [1, 2, 2, 4, None]
    assert found["a"]["share"] == pytest.approx(1 / 2.25)
    assert found["e"]["share"] is None
    nothing = scored({"a": [{"source": "GITHUB", "metric": "commits", "variant": "adoption", "n": 0.0}]}, FILE)
    assert nothing["a"] == {"score": 0.0, "missing_share": 0.0, "share": 0.0, "rank": 1}


def test_the_shipped_files_are_read_as_the_build_reads_them():
    for key, weights in published(FOLDER).items():
        built = read_vector(FOLDER / f"{key}.yml", set)
        assert (weights.version, weights.p, weights.max_missing) == (built["version"], built["p"], built["max_missing"])
        assert weights.metrics == {f"{one['source']}.{one['metric']}": one["weight"] for one in built["metrics"]}


def test_the_page_shows_published_scores_and_the_same_with_other_weights(tools):
    text = tools.client.get("/scores?vector=hand").text
    assert "0.8819" in text and "0.7071" in text and "too little is known" in text and "33.3 %" in text
    moved = tools.client.get("/scores?vector=hand&GITHUB.commits=2&GITHUB.stars=0&adoption=0&growth=1&p=1").text
    # growth of commits alone: alpha 0, beta 1
    assert moved.index("Beta</a>") < moved.index("Alpha</a>")
    assert "With your weights" in moved and "1.0000" in moved and "0.0000" in moved


def test_a_project_shows_what_its_scores_are_made_of(tools):
    text = tools.client.get("/scores?vector=hand&project=beta").text
    assert "What the published scores of Beta are made of" in text
    assert text.count('<span class="unknown">not known</span>') == 4


@pytest.mark.parametrize("query", ["adoption=x", "p=0", "GITHUB.commits=-1", "growth=nan", "adoption=0&growth=0"])
def test_weights_that_are_none_are_refused_with_a_sentence(tools, query):
    answer = tools.client.get(f"/scores?vector=hand&{query}")
    assert answer.status_code == 400
    assert "is not a number from" in answer.text or "All weights are 0" in answer.text


def test_without_the_file_of_this_version_weights_cannot_be_moved(tools, monkeypatch):
    monkeypatch.setattr("consumer.site.scores.FOLDER", tools.settings.home)
    text = tools.client.get("/scores?vector=hand&release=current").text
    assert "cannot be moved here" in text and "Weigh anew" not in text
