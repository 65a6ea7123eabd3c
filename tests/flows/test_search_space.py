"""Whether trials choose within the ranges, and what they choose is what is trained."""

from __future__ import annotations

import optuna
import pytest
from optuna import Study

from flows.search_space import EVENLY, PRESENT, chosen_values, present_values, searched, values_of, with_values
from flows.settings import Settings
from models.demand import DemandSettings


@pytest.fixture
def study() -> Study:
    """A study in memory, whose trials draw with a seed."""
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))


def with_ranges(settings: Settings, **ends: list[float]) -> Settings:
    ranges = settings.tune.ranges.model_copy(update=ends)
    return settings.model_copy(update={"tune": settings.tune.model_copy(update={"ranges": ranges})})


def test_a_trial_chooses_within_the_ranges_numbers_that_a_file_can_show(study: Study, settings: Settings) -> None:
    within = searched(settings)
    assert set(within) >= EVENLY
    for _ in range(20):
        values = chosen_values(study.ask(), settings)
        assert values.keys() == within.keys()
        assert [name for name, (low, high) in within.items() if not low <= values[name] <= high] == []
        assert [name for name, value in values.items() if isinstance(value, float) and value != float(f"{value:.4g}")] == []
        assert {type(values[name]) for name in ("num_leaves", "max_bin")} == {int}


def test_every_setting_of_the_trees_is_searched_but_threads(settings: Settings) -> None:
    trees = set(settings.demand.lightgbm.model_dump())
    assert trees - set(searched(settings)) == {"num_threads"}
    assert len(trees - {"num_threads"}) == len(DemandSettings.__dataclass_fields__) - len({"threads", "seed", "members", "most_rows"})


def test_the_present_settings_are_a_trial_wherever_they_lie(study: Study, settings: Settings) -> None:
    odd = with_values(settings, {"num_leaves": 3, "learning_rate": 0.4567891})
    study.enqueue_trial(present_values(odd), user_attrs={PRESENT: True})
    trial = study.ask()
    values = chosen_values(trial, odd)
    assert (values["num_leaves"], values["learning_rate"]) == (3, 0.4567891)
    assert with_values(odd, values) == odd
    study.tell(trial, 1.0)
    assert values_of(study.best_trial, odd) == values


def test_what_a_finished_trial_had_chosen_is_what_it_was_trained_with(study: Study, settings: Settings) -> None:
    trial = study.ask()
    values = chosen_values(trial, settings)
    study.tell(trial, 1.0)
    assert values_of(study.best_trial, settings) == values
    assert with_values(settings, values).demand.lightgbm.model_dump() == settings.demand.lightgbm.model_dump() | values


def test_a_range_of_one_value_leaves_a_setting_as_it_is(study: Study, settings: Settings) -> None:
    narrow = with_ranges(settings, max_bin=[255, 255])
    values = chosen_values(study.ask(), narrow)
    assert "max_bin" not in values
    assert with_values(narrow, values).demand.lightgbm.max_bin == settings.demand.lightgbm.max_bin
