"""Whether the pictures of a training and of a backtest show what they were given, with units."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from flows.plots import (
    calibration,
    coverage_by_group,
    dots_by_group,
    feature_importance,
    forecast_vs_naive,
    pit_bars,
    png_of,
    quantile_coverage,
)


def test_importances_are_shares_and_the_rest_is_one_bar() -> None:
    (axes,) = feature_importance(["a", "b", "c"], [1.0, 6.0, 3.0], "Importance", top=2).axes
    assert [bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle)] == pytest.approx([60.0, 30.0, 10.0])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c", "1 others"]
    assert axes.get_xlabel() == "share of the total gain, %"


def test_calibration_draws_one_dot_per_bin_with_its_cases() -> None:
    (axes,) = calibration([0.01, 0.2], [0.02, 0.1], [2000, 40], "Churn within 13 weeks").axes
    assert np.asarray(axes.collections[-1].get_offsets()).tolist() == [[1.0, 2.0], [20.0, 10.0]]
    assert [text.get_text() for text in axes.texts] == ["2,000", "40"]


def test_coverage_is_drawn_against_the_diagonal() -> None:
    (axes,) = quantile_coverage([0.1, 0.5, 0.9], [0.3, 0.5, 0.92]).axes
    assert np.asarray(axes.lines[1].get_ydata()).tolist() == pytest.approx([30.0, 50.0, 92.0])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("level of the quantile, %", "targets at or below it, %")


def test_every_forecaster_has_a_line_from_one_week_ahead() -> None:
    (axes,) = forecast_vs_naive({"uncap": [40, 41], "seasonal naive": [60, 60]}).axes
    assert [line.get_label() for line in axes.lines] == ["uncap", "seasonal naive"]
    assert np.asarray(axes.lines[0].get_xdata()).tolist() == [1, 2]
    assert axes.get_ylim()[0] == 0


def test_a_week_without_an_error_is_a_gap() -> None:
    (axes,) = forecast_vs_naive({"uncap": [40, None, 30], "seasonal naive": [60, None, 50]}).axes
    assert all(np.isnan(np.asarray(line.get_ydata(), dtype=float)[1]) for line in axes.lines)
    assert axes.get_ylim()[0] == 0
    assert 60 < axes.get_ylim()[1] < 70
    (axes,) = forecast_vs_naive({"uncap": [None], "seasonal naive": []}).axes
    assert axes.get_ylim()[0] == 0


def test_groups_are_rows_from_the_top_with_a_dot_for_each_forecast() -> None:
    values = {"model": [1.0, -2.0], "naive": [5.0, float("nan")]}
    (axes,) = dots_by_group(["weekly", "rarer"], values, measure="bias, %", title="Bias", reference=0.0).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["weekly", "rarer"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert np.asarray(axes.collections[0].get_offsets()).tolist() == [[1.0, 0.0], [-2.0, 1.0]]
    assert [line.get_xdata() for line in axes.lines] == [[0.0, 0.0]]
    assert axes.get_xlabel() == "bias, %"


def test_errors_begin_at_zero() -> None:
    (axes,) = dots_by_group(["weekly"], {"model": [40.0]}, measure="WAPE, %", title="Error").axes
    assert axes.get_xlim()[0] == 0


def test_bars_of_the_histogram_are_as_wide_as_their_bins() -> None:
    (axes,) = pit_bars([0.0, 0.25, 1.0], [1.5, 0.8], "PIT").axes
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in bars] == [(0, 25, 1.5), (25, 75, 0.8)]


def test_coverage_by_group_is_what_was_found_less_what_is_right() -> None:
    (axes,) = coverage_by_group([0.1, 0.9], {"weekly": [0.1, 0.9]}, {"weekly": [0.15, 0.88]}, "Coverage").axes
    assert np.asarray(axes.lines[0].get_ydata()).tolist() == pytest.approx([5.0, -2.0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10 %", "90 %"]


def test_a_picture_is_written_as_png() -> None:
    assert png_of(pit_bars([0.0, 1.0], [1.0], "PIT")).startswith(b"\x89PNG\r\n")
