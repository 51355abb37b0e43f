"""Badges, chart files, frames, oEmbed and preview pictures over a release whose numbers are known."""

import struct
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from consumer.charts.points import Point
from consumer.widgets.badges import badge
from consumer.widgets.pictures import summed
from consumer.widgets.png import png
from tests.site.widgets.conftest import HOSTILE, LAST

COMMITS = "GITHUB_commits_over_30_day_period"
WEEKLY = "GITHUB_commits_weekly"


def svg(answer):
    """The drawing of an answer, its label, and its text."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml"), answer.text
    tree = ElementTree.fromstring(answer.content)
    return tree, tree.get("aria-label"), [one.text for one in tree.iter() if one.tag.endswith("}text")]


def test_a_badge_has_the_newest_number_in_the_accent(widgets):
    answer = widgets.client.get(f"/badges/project/alpha/{COMMITS}.svg")
    tree, label, words = svg(answer)
    assert (tree.get("role"), tree.get("height")) == ("img", "20")
    assert label == "Alpha, commits, 30 days: 1,234,567, ok, as of 1 Nov 2026"
    assert words == ["commits, 30 days", "1.23 M as of 2026-11-01"]
    assert answer.headers["etag"].startswith(f'"{widgets.release.release_id}-')


@pytest.mark.parametrize(
    ("quality", "stale", "colour", "hatched"),
    [
        ("ok", False, "#0B6E6E", 0),
        ("partial", False, "#0B6E6E", 1),
        ("ok", True, "#55606E", 0),
        ("partial", True, "#55606E", 1),
        ("unknown", False, "#55606E", 0),
    ],
)
def test_the_quality_of_a_badge_is_visible(quality, stale, colour, hatched):
    tree = ElementTree.fromstring(badge("a", "1", "t", quality=quality, stale=stale, style="flat", theme="light"))
    value = [one for one in tree.iter() if one.tag.endswith("}text")][1]
    assert value.get("fill") == colour
    assert len([one for one in tree.iter() if one.get("stroke") == "#9A5B00"]) == hatched


def test_a_badge_of_what_is_unknown_says_so_in_words(widgets):
    _, label, words = svg(widgets.client.get("/badges/project/alpha/GITHUB_stars_total_daily.svg"))
    assert words[1] == "unknown"
    assert "0" not in label
    assert svg(widgets.client.get(f"/badges/project/alpha/{WEEKLY}.svg"))[2][1] == "unknown"


def test_badges_have_three_styles_and_two_themes(widgets):
    seen = set()
    for style in ("flat", "flat-square", "for-the-badge"):
        for theme in ("light", "dark"):
            answer = widgets.client.get(f"/badges/project/alpha/{COMMITS}.svg?style={style}&theme={theme}")
            tree, _, words = svg(answer)
            seen.add(answer.text)
            assert tree.get("height") == ("28" if style == "for-the-badge" else "20")
            assert words[0] == ("COMMITS, 30 DAYS" if style == "for-the-badge" else "commits, 30 days")
    assert len(seen) == 6


def test_shields_gets_label_message_and_colour(widgets):
    def told(name, metric):
        return widgets.client.get(f"/badges/project/{name}/{metric}.json").json()

    assert told("gamma", COMMITS)["message"].endswith("(partial)")
    unknown = {"schemaVersion": 1, "label": "stars total", "message": "unknown", "color": "lightgrey"}
    assert told("alpha", "GITHUB_stars_total_daily") == unknown


def test_a_chart_file_is_svg_or_png_in_both_themes(widgets):
    _, label, words = svg(widgets.client.get(f"/charts/project/alpha/{WEEKLY}.svg"))
    assert "Alpha: Commits per week" in words
    # the week without a row was seen, so it is zero; the week that nobody saw is a gap
    assert "from 0 to 8; 3 ok, 1 partial, 1 not measured" in label
    dark = widgets.client.get(f"/charts/project/alpha/{WEEKLY}.svg?theme=dark&from=2026-10-19&to=2026-10-25")
    assert "#0F151D" in dark.text and "3 on 19 Oct 2026, partial" in dark.text
    picture = widgets.client.get(f"/charts/project/alpha/{WEEKLY}.png")
    assert picture.headers["content-type"] == "image/png"
    assert struct.unpack(">II", picture.content[16:24]) == (1440, 520)
    assert picture.content != widgets.client.get(f"/charts/project/alpha/{WEEKLY}.png?theme=dark").content


def test_stars_are_those_that_are_held_where_that_is_known(widgets):
    _, label, words = svg(widgets.client.get("/svg?repos=org/alpha&type=Date&theme=dark"))
    assert "org/alpha: Stars" in words
    assert "120 on 31 Oct 2026" in label


def test_stars_of_several_are_those_given_where_a_count_is_missing(widgets):
    _, label, words = svg(widgets.client.get("/svg?repos=org/alpha,org/shared&type=Date"))
    assert "Stars given since 28 Oct 2026" in words
    # 2 + 3, then a day of which a part was seen; 1 + 4, the last of them on that day
    assert "alpha: 5 on 1 Nov 2026, partial" in label
    assert "shared: 5 on 1 Nov 2026, partial" in label


def test_a_sum_is_partial_after_a_day_that_was_not_wholly_seen():
    given = [Point(LAST, 1.0, "ok"), Point(LAST, None, "unknown"), Point(LAST, 2.0, "ok")]
    assert [(one.amount, one.quality) for one in summed(given)] == [(1.0, "ok"), (None, "unknown"), (3.0, "partial")]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/badges/project/alpa/" + COMMITS + ".svg", 404, "There is no project 'alpa'"),
        ("/badges/person/alpha/" + COMMITS + ".svg", 404, "no widgets of 'person'"),
        ("/badges/project/alpha/commits.svg", 400, "names several metrics"),
        ("/badges/project/alpha/none.svg", 400, "There is no metric 'none'"),
        ("/badges/project/alpha/" + COMMITS + ".svg?style=round", 400, "one of flat, flat-square"),
        ("/badges/project/alpha/" + COMMITS + ".svg?style=flat&style=flat", 400, "given twice"),
        ("/badges/project/alpha/" + COMMITS + ".svg?link=https://evil.example", 400, "'link' is not known"),
        ("/charts/project/alpha/" + WEEKLY + ".svg?from=yesterday", 400, "is not a day"),
        ("/svg?repos=", 400, "name 1 to 10"),
        ("/svg?repos=org/alpha&type=Timeline", 400, "one of Date"),
        ("/svg?repos=org/none", 404, "There is no artifact 'org/none'"),
        ("/og/person/alpha.png", 404, "no pictures of 'person'"),
    ],
)
def test_what_cannot_be_shown_is_said(widgets, path, status, said):
    answer = widgets.client.get(path)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_frame_may_stand_on_any_site_and_runs_no_script(widgets):
    answer = widgets.client.get(f"/embed/project/alpha/{WEEKLY}?theme=dark")
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert 'data-theme="dark"' in answer.text
    assert "As of 2026-10-26 · ok and partial" in answer.text
    assert "<script" not in answer.text
    assert "frame-ancestors 'none'" in widgets.client.get("/projects/alpha").headers["content-security-policy"]


def test_oembed_gives_the_frame_in_the_size_that_is_asked(widgets):
    url = quote("http://testserver/projects/alpha", safe="")
    told = widgets.client.get(f"/oembed?url={url}&maxwidth=400&maxheight=200&format=json").json()
    assert (told["version"], told["type"], told["width"], told["height"]) == ("1.0", "rich", 400, 200)
    assert 'src="http://testserver/embed/project/alpha/GITHUB_active_developers_over_30_day_period"' in told["html"]
    framed = quote(f"http://testserver/embed/project/alpha/{WEEKLY}", safe="")
    assert widgets.client.get(f"/oembed?url={framed}").json()["title"] == "Alpha: Commits per week"


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/projects/alpha",
        "//testserver/projects/alpha",
        "https://testserver/projects/alpha",
        "http://testserver@evil.example/projects/alpha",
        "http://testserver/status",
        "javascript:alert(1)",
        "http://testserver/embed/project/alpha",
    ],
)
def test_oembed_takes_own_addresses_alone(widgets, url):
    answer = widgets.client.get("/oembed", params={"url": url})
    assert answer.status_code == 404
    assert "frame" not in answer.json()


def test_what_is_kept_for_one_host_is_not_given_to_another(widgets):
    url = {"url": "http://evil.example/projects/alpha"}
    assert widgets.client.get("/oembed", params=url, headers={"host": "evil.example"}).status_code == 200
    assert widgets.client.get("/oembed", params=url).status_code == 404


def test_preview_pictures_are_1200_by_630_whatever_the_name(widgets):
    for name in ("alpha", "beta", "hostile"):
        answer = widgets.client.get(f"/og/project/{name}.png")
        assert answer.headers["content-type"] == "image/png"
        assert struct.unpack(">II", answer.content[16:24]) == (1200, 630)


def test_letters_without_a_glyph_become_an_ellipsis_and_not_boxes():
    one = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><text y="15">{}</text></svg>'
    assert png(one.format("潮水")) == png(one.format("…"))
    assert png(one.format("Brindlé Привет")) != png(one.format("…"))


def test_hostile_names_stay_text_everywhere(widgets):
    paths = (
        f"/badges/project/hostile/{COMMITS}.svg",
        f"/charts/project/hostile/{COMMITS}.svg",
        f"/embed/project/hostile/{COMMITS}",
    )
    for path in (*paths, f"/share/project/hostile/{COMMITS}", "/compare?projects=hostile,alpha"):
        answer = widgets.client.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text and "&lt;script&gt;" in answer.text
    told = widgets.client.get("/oembed", params={"url": f"http://testserver/embed/project/hostile/{COMMITS}"}).json()
    assert "<script" not in told["html"]
    _, label, _ = svg(widgets.client.get(paths[0]))
    assert label.startswith(HOSTILE)


def test_widgets_answer_304_and_are_of_the_release_that_is_asked(widgets):
    path = f"/badges/project/alpha/{COMMITS}.svg?release={widgets.release.release_id}"
    etag = widgets.client.get(path).headers["etag"]
    assert widgets.client.get(path, headers={"if-none-match": etag}).status_code == 304
    assert widgets.client.get(path.replace(widgets.release.release_id, "none")).status_code == 404


def test_the_share_page_has_every_snippet(widgets):
    answer = widgets.client.get(f"/share/project/alpha/{COMMITS}").text
    for said in (
        f"[![Alpha: Commits over 30 days](http://testserver/badges/project/alpha/{COMMITS}.svg)](http://testserver/projects/alpha)",
        f"img.shields.io/endpoint?url=http%3A%2F%2Ftestserver%2Fbadges%2Fproject%2Falpha%2F{COMMITS}.json",
        f"http://testserver/embed/project/alpha/{COMMITS}",
        f"release {widgets.release.release_id}",
    ):
        assert said in answer
    assert "has none" in widgets.client.get(f"/share/project/alpha/{WEEKLY}").text
