"""Whether a file of tuned settings stands alone and holds what was found."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from flows.configuration import BASE
from flows.locations import DEMO_CONFIG
from flows.settings import read_settings
from flows.tuned_settings import Tuning, as_toml, print_tuning, write_tuned


def found(best_loss: float) -> Tuning:
    origins = [date(2025, 8, 3), date(2025, 6, 8)]
    best = {"num_leaves": 31, "learning_rate": 0.05}
    return Tuning(date(2025, 9, 28), origins, 12, 4, present_loss=0.32, best_trial=7, best_loss=best_loss, best=best)


@pytest.mark.parametrize("config", [BASE, DEMO_CONFIG])
def test_any_configuration_comes_back_from_its_toml(config: Path) -> None:
    tree = tomllib.loads(config.read_text(encoding="utf-8"))
    assert tomllib.loads(as_toml(tree)) == tree


def test_texts_that_need_escapes_come_back() -> None:
    tree = {"tracking": {"experiment": 'a "b" \\ c\n烟草'}, "calendar": {"moving_holidays": ["Lunar New Year", "Qingming"]}}
    assert tomllib.loads(as_toml(tree)) == tree


def test_the_written_file_keeps_the_keys_of_the_configuration_it_was_made_from(tmp_path: Path) -> None:
    out = tmp_path / "tuned.toml"
    write_tuned(found(0.31), DEMO_CONFIG, out)
    before, after = read_settings(DEMO_CONFIG, environment={}), read_settings(out, environment={})
    assert (after.demand.lightgbm.num_leaves, after.demand.lightgbm.learning_rate) == (31, 0.05)
    trees = after.demand.lightgbm.model_copy(update={"num_leaves": 63, "learning_rate": 0.1})
    assert after.model_copy(update={"demand": after.demand.model_copy(update={"lightgbm": trees})}) == before
    assert out.read_text(encoding="utf-8").startswith("# Demand model as of 2025-09-28: 12 trials, 4 of them now, each judged on ")
    assert "# Pinball loss 0.31000, 0.32000 before (-3.12 %).\n" in out.read_text(encoding="utf-8")


def test_what_was_found_is_shown_with_its_gain_and_how_to_confirm_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_tuning(found(0.31), tmp_path / "tuned.toml")
    printed = capsys.readouterr().out
    assert "trial 7           0.31  -3.12 %" in printed
    assert "[demand.lightgbm]\nnum_leaves = 31\nlearning_rate = 0.05\n" in printed
    assert f"uncap backtest --as-of 2025-09-28 --origins 4 --config {tmp_path / 'tuned.toml'}\n" in printed


def test_equal_settings_are_not_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not found(0.32).better
    print_tuning(found(0.32), tmp_path / "tuned.toml")
    printed = capsys.readouterr().out
    assert "Nothing beats the present settings; nothing was written." in printed
    assert "num_leaves" not in printed
