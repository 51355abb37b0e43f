"""Weights files: what is shipped holds, and every mistake is a sentence that names the file."""

import hashlib

import pytest

from include.__main__ import main
from include.errors import FixNeeded
from include.settings import load_settings
from include.transform import vectors

GOOD = """id: mine
entities: all
window: over_30_day_period
transform: none
variants: {adoption: 1}
metrics:
  - {source: GITHUB, metric: commits, weight: 0.5}
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """load({file: text}) -> the vectors of a folder with these files, over a lake in which nothing landed."""
    monkeypatch.setattr(vectors, "FOLDER", tmp_path / "vectors")
    monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path / "home"))
    (tmp_path / "vectors").mkdir()
    (tmp_path / "home").mkdir()

    def loaded(files):
        for name, text in files.items():
            (tmp_path / "vectors" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return vectors.load_vectors(load_settings())

    return loaded


def test_a_file_is_read_with_its_defaults_and_its_digest(load):
    (found,) = load({"mine.yml": GOOD})
    assert found == {
        "id": "mine",
        "entities": "all",
        "window": "over_30_day_period",
        "p": 2.0,
        "transform": "none",
        "variants": {"adoption": 1.0, "growth": 0.0, "retention": 0.0},
        "metrics": [{"source": "GITHUB", "metric": "commits", "weight": 0.5}],
        "max_missing": 0.5,
        "version": hashlib.sha256(GOOD.encode()).hexdigest(),
    }


def test_metrics_of_chains_are_known_by_network_and_of_all_together(load):
    both = GOOD.replace("commits, weight: 0.5}", "commits, weight: 1}\n  - {source: EVM, metric: gas_fees, weight: 1}")
    one = GOOD.replace("GITHUB, metric: commits", "BASE, metric: gas_fees_amortized")
    assert len(load({"both.yml": both, "one.yaml": one.replace("mine", "other")})) == 2


def test_the_shipped_files_hold(tmp_path):
    shipped = vectors.load_vectors(load_settings({"OPENIMPACT_HOME": str(tmp_path)}))
    assert [vector["id"] for vector in shipped] == ["code_health", "monthly_momentum", "overall_impact"]
    told = (vectors.DBT_PROJECT.parent / "docs/vectors.md").read_text()
    assert [v["id"] for v in shipped if f"`{v['id']}`" not in told] == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("commits", "comits", "GITHUB has no metric 'comits'"),
        ("GITHUB", "EVM", "EVM has no metric 'commits'"),
        ("GITHUB", "Github", "the source 'Github' is unknown; known are ARBITRUM_ONE"),
        ("over_30_day_period", "over_31_day_period", "GITHUB commits has no window 'over_31_day_period'; it has daily"),
        ("weight: 0.5", "weight: -1", "`float` >= 0.0"),
        ("weight: 0.5", "weight: .nan", "`float` >= 0.0"),
        ("weight: 0.5", "weight: .inf", "`float` <= 1000000.0"),
        ("weight: 0.5", "weight: true", "got `bool`"),
        ("weight: 0.5", "weight: 0", "the weights sum up to 0"),
        ("adoption: 1", "adoption: 0", "the weights sum up to 0"),
        ("adoption: 1", "", "the weights sum up to 0"),
        ("adoption: 1", "fame: 1", "unknown field `fame`"),
        ("transform: none", "transform: sqrt", "Invalid enum value 'sqrt'"),
        ("transform: none", "transform: none\np: 0", "`float` >= 0.1 - at `$.p`"),
        ("transform: none", "transform: none\np: -2", "`float` >= 0.1 - at `$.p`"),
        ("transform: none", "transform: none\nmax_missing: 2", "`float` <= 1.0 - at `$.max_missing`"),
        ("transform: none", "transform: none\ntitle: Mine", "unknown field `title`"),
        ("window: over_30_day_period\n", "", "missing required field `window`"),
        ("entities: all", "entities: nobody's", 'lists no collection "nobody\'s"'),
        ("id: mine", "id: My vector", "matching regex"),
        ("id: mine", "id: |\n  mine\n", "matching regex"),
        (
            "30_day_period\ntransform: none\nvariants: {",
            "all_time\ntransform: none\nvariants: {growth: 1, ",
            "no window comes",
        ),
        (
            "metrics:\n",
            "metrics:\n  - {source: GITHUB, metric: commits, weight: 1}\n",
            "GITHUB commits is listed twice",
        ),
        ("weight: 0.5", "weight: 2026-99-99", "is not a weights file"),
        (GOOD, "", "Expected `object`, got `null`"),
        (GOOD, "[" * 5000, "is not a weights file"),
        (GOOD, b"\xff\xfe\x00", "is not a weights file"),
        (GOOD, "!!python/object/apply:os.system [id]", "is not a weights file"),
        (GOOD, "a: &a [1]\nb: &b [*a, *a]\n" * 3, "is not a weights file"),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_file(load, old, new, sentence):
    text = new if isinstance(new, bytes) else GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(FixNeeded) as error:
        load({"bad.yml": text})
    assert "bad.yml" in str(error.value) and sentence in str(error.value)


def test_two_files_cannot_share_an_id(load):
    with pytest.raises(FixNeeded, match="b.yml: the id 'mine' is that of another file"):
        load({"a.yml": GOOD, "b.yml": GOOD})


def test_the_command_lists_the_vectors_or_says_what_is_wrong(load, capsys):
    load({"mine.yml": GOOD})
    assert main(["vectors"]) == 0
    digest = hashlib.sha256(GOOD.encode()).hexdigest()[:12]
    assert capsys.readouterr().out == f"mine {digest} all over_30_day_period: GITHUB commits\n"
    (vectors.FOLDER / "mine.yml").write_text(GOOD.replace("commits", "comits"))
    assert main(["vectors"]) == 1
    assert "mine.yml: GITHUB has no metric 'comits'" in capsys.readouterr().err
