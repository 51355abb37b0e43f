"""Charts as SVG text: pure functions from values to drawings in which the quality of every number is visible."""

from consumer.charts.chart import chart
from consumer.charts.numbers import exact, short
from consumer.charts.points import Point, Series
from consumer.charts.sparkline import sparkline

__all__ = ["Point", "Series", "chart", "exact", "short", "sparkline"]
