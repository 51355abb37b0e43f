"""Charts, by coordinates that were worked out on paper: of 720 by 260 pixels the plot has 604 by 184."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from consumer.charts import Point, Series, chart, days, exact, short, sparkline
from consumer.charts.numbers import log_ticks, ticks
from consumer.charts.points import gaps, runs, thin

START = date(2026, 3, 2)  # a Monday


def points(*amounts, step=1):
    """A point for each amount; (amount, quality), an amount that is ok, or None for unknown."""
    found = []
    for place, one in enumerate(amounts):
        amount, quality = one if isinstance(one, tuple) else (one, "ok" if one is not None else "unknown")
        found.append(Point(START + timedelta(days=place * step), amount, quality))
    return found


def drawn(*amounts, kind="line", step=1, theme="light", **more):
    """A chart of one series."""
    more = {"unit": "count", "title": "Commits"} | more
    return chart([Series("one", points(*amounts, step=step))], kind=kind, theme=theme, **more)


def parts(svg, name, **attributes):
    """The elements of a name with these attributes."""
    return [
        one
        for one in ElementTree.fromstring(svg).iter()
        if one.tag.rpartition("}")[2] == name and all(one.get(key) == value for key, value in attributes.items())
    ]


def paths(svg):
    """The lines that are drawn: coordinates and dashes."""
    return [(one.get("d"), one.get("stroke-dasharray")) for one in parts(svg, "path") if "L" in one.get("d")]


def words(svg):
    """All text that is drawn."""
    return [one.text for one in parts(svg, "text")]


def test_a_line_goes_through_its_points():
    svg = drawn(0, 50, 100)
    assert paths(svg) == [("M0.0 184.0L302.0 92.0L604.0 0.0", None)]
    assert words(svg)[1:4] == ["0", "50", "100"]


def test_the_last_value_stands_at_the_end_of_the_line():
    (last,) = parts(drawn(0, 100, 50), "text", dx="10")
    assert (last.text, last.get("x"), last.get("y")) == ("50", "100%", "96")


def test_bars_stand_on_zero_and_span_their_window():
    bars = parts(drawn(2, 0, 4, kind="bar"), "rect")[1:]
    assert [(bar.get("x"), bar.get("y"), bar.get("width"), bar.get("height")) for bar in bars] == [
        ("3.33%", "92", "26.67%", "92"),
        ("36.67%", "184", "26.67%", "0"),
        ("70%", "0", "26.67%", "184"),
    ]


def test_bars_below_zero_hang_from_it():
    # from -4 to 4 in steps of 2: zero is at half the height
    up, down = parts(drawn(4, -4, kind="bar"), "rect")[1:]
    assert (up.get("y"), up.get("height")) == ("0", "92")
    assert (down.get("y"), down.get("height")) == ("92", "92")


def test_what_is_unknown_is_a_gap_with_a_mark_and_words_and_no_zero():
    svg = drawn(5, 5, None, 7, 7)
    assert paths(svg) == [("M0.0 166.0L151.0 166.0", None), ("M453.0 0.0L604.0 0.0", None)]  # 18 for the words
    (mark,) = [one for one in parts(svg, "line") if one.find("{*}title") is not None]
    assert mark.find("{*}title").text == "not measured: 4 Mar 2026"
    assert (mark.get("x1"), mark.get("x2")) == ("49.5%", "50.5%")
    assert "Dotted: not measured." in words(svg)
    assert "1 not measured" in parts(svg, "svg")[0].get("aria-label")
    assert "0" not in words(svg)


def test_an_unknown_bar_is_no_bar_of_height_zero():
    assert len(parts(drawn(3, None, 4, kind="bar"), "rect")) == 1 + 2


def test_a_number_without_quality_or_beyond_all_numbers_is_not_drawn():
    for amount in (float("nan"), float("inf"), 1e301):
        assert "1 not measured" in drawn(1, (amount, "ok"), 2)
    assert "1 not measured" in drawn(1, (9.0, "unknown"), 2)


def test_partial_lines_are_dashed_from_point_to_point():
    svg = drawn(0, 10, (20, "partial"), 30, 40)
    assert [dashes for _, dashes in paths(svg)] == [None, "4 4", None]
    assert [d.count("L") for d, _ in paths(svg)] == [1, 2, 1]
    assert "Dashed: partial." in words(svg)


def test_partial_bars_are_hatched_and_no_two_charts_share_a_hatch():
    first, second = drawn(1, (2, "partial"), kind="bar"), drawn(1, (3, "partial"), kind="bar")
    (hatch,) = [one.get("id") for one in parts(first, "pattern")]
    assert [bar.get("fill") for bar in parts(first, "rect")[1:]] == [None, f"url(#{hatch})"]
    assert hatch not in second
    assert "Hatched: partial." in words(first)


def test_a_log_scale_leaves_out_zeros_and_says_so():
    svg = drawn(1, 10, 0, 100, 1000, scale="log")
    # three powers of ten over 166 pixels, for 18 are for the words; the zero is a gap that was measured
    assert paths(svg) == [("M0.0 166.0L151.0 110.67", None), ("M453.0 55.33L604.0 0.0", None)]
    assert "1 not above zero: not on a log scale." in words(svg)
    assert "not measured" not in svg


def test_an_axis_of_lines_begins_at_zero_unless_that_would_flatten_them():
    assert words(drawn(10, 40))[1] == "0"
    assert words(drawn(90, 100))[1] == "90"


@pytest.mark.parametrize("amount", [0.0, 7.0, -7.0, 1e-18, 1e300, -1e300])
def test_one_point_is_drawn_whatever_its_size(amount):
    for kind in ("line", "bar"):
        svg = drawn(amount, kind=kind)
        assert "nan" not in svg and "inf" not in svg
        assert short(amount, "count") in words(svg)


def test_nothing_is_said_in_words():
    assert words(drawn())[1:] == ["There are no numbers yet."]
    assert words(drawn(None, None))[1:] == ["Not measured."]
    assert "there are no numbers yet" in drawn()


def test_all_of_it_is_in_the_label():
    label = parts(drawn(5, (6, "partial"), None, title="Commits per day"), "svg")[0].get("aria-label")
    assert label == (
        "Commits per day, line chart, 2 Mar 2026 to 4 Mar 2026. 6 on 3 Mar 2026, partial; from 5 to 6;"
        " 1 ok, 1 partial, 1 not measured."
    )


def test_each_point_tells_its_number_where_there_are_few():
    titles = [one.text for one in parts(drawn(1234, (5, "partial")), "title")]
    assert titles == ["2 Mar 2026: 1,234, ok", "3 Mar 2026: 5, partial"]
    assert parts(drawn(*range(200)), "title") == []


HOSTILE = "</text><script>alert(1)</script>\"'&\x00\x1b\ud800"


def test_hostile_text_stays_text():
    for theme in (None, "dark"):
        svg = chart(
            [Series(HOSTILE, points(1, 2)), Series("b", points((2, "partial"), None))],
            unit=HOSTILE,
            kind="bar",
            title=HOSTILE,
            notes={START: HOSTILE},
            theme=theme,
        )
        assert "<script" not in svg
        tree = ElementTree.fromstring(svg.encode())
        assert not [one for one in tree.iter() if one.tag.endswith("script")]
        assert "</text><script>alert(1)</script>\"'&" in tree.get("aria-label")


def test_a_chart_in_a_page_has_the_page_s_colours_and_no_style():
    svg = drawn(1, 2, theme=None)
    assert 'class="c-accent"' in svg
    assert not re.search("#[0-9A-Fa-f]{6}|style=", svg)
    assert "Commits" not in words(svg)
    assert 'color="#0B6E6E"' in drawn(1, 2) and 'color="#4FC3B8"' in drawn(1, 2, theme="dark")


def test_names_at_the_ends_of_lines_do_not_overlap():
    many = [Series(f"project {place}", points(1, 5)) for place in range(10)]
    svg = chart(many, unit="count", kind="line", title="t", theme="light")
    ys = sorted(float(one.get("y")) for one in parts(svg, "text", dx="10"))
    assert len(ys) == 10
    assert all(b - a > 14.9 for a, b in zip(ys, ys[1:], strict=False))
    assert ys[0] >= 0 and ys[-1] <= 184 + 15
    assert len(parts(svg, "path", d="M0-5L5 0L0 5L-5 0Z")) >= 2  # beside its colour each has a shape


def test_a_source_that_changed_is_marked_on_its_day():
    svg = drawn(0, 5, 10, notes={START + timedelta(days=1): "pushes carry no commits", date(2020, 1, 1): "long ago"})
    (note,) = [one for one in parts(svg, "g") if one.find("{*}title") is not None]
    assert note.find("{*}title").text == "3 Mar 2026: pushes carry no commits"
    assert note.find("{*}line").get("x1") == "50%"
    assert svg.count("pushes carry no commits") == 3  # beside the line, in its title, in the words for who sees neither
    assert drawn(0, 5, 10, notes={date(2020, 1, 1): "long ago"}) == drawn(0, 5, 10)


def test_ten_years_are_thinned_without_losing_what_stands_out():
    many = [Point(date(2016, 1, 1) + timedelta(days=place), place % 7.0, "ok") for place in range(3650)]
    many[1234] = Point(many[1234].day, 999.0, "ok")
    many[2345] = Point(many[2345].day, -999.0, "ok")
    many[3000] = Point(many[3000].day, None, "unknown")
    kept = thin(many, 604)
    assert len(kept) <= 4 * 604
    assert {many[0], many[1234], many[2345], many[3000], many[-1]} <= set(kept)
    assert kept == sorted(kept, key=lambda point: point.day)
    line, bars = (chart([Series("a", many)], unit="count", kind=kind, title="t") for kind in ("line", "bar"))
    assert len(line) < 45_000 and len(bars) < 45_000
    assert len(parts(bars, "rect")) <= 2 * 302 + 2


def test_points_are_split_into_runs_and_gaps():
    given = points(1, None, None, (2, "partial"), 3, 4)
    assert [(dashed, [point.amount for point in run]) for dashed, run in runs(given)] == [
        (False, [1]),
        (True, [2, 3]),
        (False, [3, 4]),
    ]
    assert list(gaps(given)) == [(date(2026, 3, 3), date(2026, 3, 4))]


@pytest.mark.parametrize(
    ("amount", "unit", "told", "in_full"),
    [
        (0, "count", "0", "0"),
        (999, "count", "999", "999"),
        (1234567, "count", "1.23 M", "1,234,567"),
        (999_950, "count", "1 M", "999,950"),
        (-12_345, "count", "-12.3 k", "-12,345"),
        (0.116, "ratio", "0.116", "0.116"),
        (-340.5, "USD", "-$340", "-340.5 USD"),
        (394_920, "seconds", "4.57 d", "394,920 seconds"),
        (90, "seconds", "90 s", "90 seconds"),
        (1e-18, "ETH", "1e-18 ETH", "1e-18 ETH"),
        (20_000, "epoch_day", "2024-10-04", "2024-10-04"),
        (1e12, "epoch_day", "1,000,000,000,000 days after 1970-01-01", "1,000,000,000,000 days after 1970-01-01"),
    ],
)
def test_numbers_as_text(amount, unit, told, in_full):
    assert (short(amount, unit), exact(amount, unit)) == (told, in_full)


def test_steps_of_an_axis_are_round():
    assert ticks(0, 23, "count") == [0, 10, 20, 30]
    assert ticks(0, 2, "count") == [0, 1, 2]
    assert ticks(0, 0.3, "ratio") == [0, 0.1, 0.2, 0.3]
    assert ticks(-3, 5, "count") == [-4, -2, 0, 2, 4, 6]
    assert ticks(0, 4 * 86_400, "seconds") == [0, 86_400, 172_800, 259_200, 345_600]
    assert log_ticks(3, 2000) == [1, 10, 100, 1000, 10_000]


def test_days_of_an_axis_are_those_of_a_calendar():
    assert [label for _, label, _ in days.ticks(date(2026, 1, 5), date(2026, 2, 2), 5)] == [
        "5 Jan",
        "12 Jan",
        "19 Jan",
        "26 Jan",
        "2 Feb",
    ]
    assert days.ticks(date(2025, 11, 15), date(2026, 3, 10), 4) == [
        (date(2025, 12, 1), "Dec", "2025"),
        (date(2026, 1, 1), "Jan", "2026"),
        (date(2026, 2, 1), "Feb", ""),
        (date(2026, 3, 1), "Mar", ""),
    ]
    assert [label for _, label, _ in days.ticks(date(2016, 2, 1), date(2026, 1, 1), 5)] == [
        "2018",
        "2020",
        "2022",
        "2024",
        "2026",
    ]
    assert [label for _, label, _ in days.ticks(date(2026, 1, 1), date(2026, 2, 1), 4, apart=31)] == ["Jan", "Feb"]


def test_a_sparkline_has_dots_at_its_ends_and_breaks_where_nothing_was_measured():
    svg = sparkline(points(0, 10, 5), theme="light")
    assert paths(svg) == [("M4 24L60 4L116 14", None)]
    assert [(dot.get("cx"), dot.get("cy")) for dot in parts(svg, "circle")] == [("4", "24"), ("60", "4")]
    assert 'aria-label="0 to 10, last 5 on 4 Mar 2026, ok"' in svg
    assert len(paths(sparkline(points(1, 2, None, 3, 4)))) == 2
    assert paths(sparkline(points((1, "partial"), 2)))[0][1] == "2.5 2"
    assert 'aria-label="not measured"' in sparkline([]) and 'aria-label="not measured"' in sparkline(points(None))
