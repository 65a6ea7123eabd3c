"""When a model is to be trained anew."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models.retraining import Due, MonitoredFigure, retraining_due

TRAINED = date(2019, 8, 4)


def weekly(values: str, metric: str = "bias") -> list[MonitoredFigure]:
    """One measurement a week, from the Sunday after the training on."""
    return [MonitoredFigure(TRAINED + timedelta(weeks=k), metric, float(v), -0.15, 0.15) for k, v in enumerate(values.split(), start=1)]


def due(figures: list[MonitoredFigure], weeks: int) -> Due | None:
    return retraining_due(TRAINED, TRAINED + timedelta(weeks=weeks), figures, most_weeks=8, weeks_out=2)


@pytest.mark.parametrize(
    ("values", "weeks", "is_due", "forced"),
    [
        ("0.1 0.1 0.1", 3, False, False),
        ("0.1 0.1 0.2", 3, False, False),  # once may be chance
        ("0.1 0.2 0.2", 3, True, True),
        ("0.1 -0.2 0.2", 3, True, True),  # on either side
        ("0.2 0.2 0.1", 3, False, False),  # it has come back
        ("0.1 0.2 0.2", 2, False, False),  # what is measured later is not known
        ("0.1", 7, False, False),
        ("0.1", 8, True, False),
        ("0.2 0.2", 8, True, True),
    ],
)
def test_a_model_is_due_when_it_is_old_or_out_of_bounds_twice_in_a_row(values: str, weeks: int, is_due: bool, forced: bool) -> None:
    found = due(weekly(values), weeks)
    assert (found is not None) is is_due
    assert found is None or found.forced is forced


def test_what_was_measured_before_the_training_does_not_count() -> None:
    before = [MonitoredFigure(TRAINED - timedelta(weeks=k), "bias", 0.5, -0.15, 0.15) for k in (0, 1)]
    assert due(before, 3) is None


def test_metrics_are_counted_apart_and_all_that_left_are_named() -> None:
    assert due([*weekly("0.1 0.2"), *weekly("0.2 0.1", "brier")], 2) is None
    both = due([*weekly("0.2 0.2"), *weekly("0.3 0.3", "calibration_loss")], 2)
    assert both is not None
    assert both.reason == (
        "bias 0.2 is out of -0.15 to 0.15, as of 2019-08-18 and 1 time before; "
        "calibration loss 0.3 is out of -0.15 to 0.15, as of 2019-08-18 and 1 time before"
    )


def test_a_figure_without_bounds_never_asks_for_a_training() -> None:
    assert due([MonitoredFigure(TRAINED + timedelta(weeks=k), "bias", 9.0, None, None) for k in (1, 2)], 2) is None
