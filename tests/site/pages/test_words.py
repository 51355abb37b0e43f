"""Numbers, changes and addresses in words."""

import pytest

from consumer.site import words


@pytest.mark.parametrize(
    ("now", "before", "unit", "said"),
    [
        (112.0, 100.0, "count", "+12 %"),
        (97.0, 100.0, "count", "−3 %"),
        (1003.0, 1000.0, "count", "+0.3 %"),
        (5.0, 5.0, "count", "unchanged"),
        (5.0, 0.0, "count", "up from 0"),
        (-3.0, 2.0, "count", "down from 2"),
        (0.25, 0.2, "ratio", "+0.05"),
        (None, 3.0, "count", ""),
        (3.0, None, "count", ""),
        (float("inf"), 3.0, "count", ""),
    ],
)
def test_a_change_is_said_only_where_both_windows_are_known(now, before, unit, said):
    assert words.change({"amount": now, "previous_amount": before, "unit": unit}) == said


def test_what_is_no_number_is_said_so():
    assert words.exact(float("nan"), "count") == "not a number"
    assert words.short(float("-inf"), "USD") == "minus infinite"


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [(1234567.0, "count", "1,234,567"), (-12.5, "USD", "-12.5 USD"), (0.123456, "ratio", "0.123"), (0.0, "count", "0")],
)
def test_a_table_has_counts_in_full_and_ratios_short(amount, unit, said):
    assert words.plain(amount, unit) == said


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", " https://a", "", None]
)
def test_only_addresses_of_the_web_are_links(address):
    assert words.link(address) is None


def test_a_feed_holds_no_character_that_xml_cannot():
    assert words.clean("a\x00b\x1b\ufffe\uffffc\n\U0001f30a") == "abc\n\U0001f30a"
