"""Who is listed, in which order, and who is left alone."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contact_episodes import EPISODE_WEEKS, draw, episodes, open_episodes
from models.work_lists import expected_margin_saved, fill_list

AS_OF = date(2024, 6, 30)
NOBODY = open_episodes(pd.DataFrame(columns=["list", "retailer_id", "as_of", "assignment"]), AS_OF)


def candidates(saved: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"retailer_id": [f"R{n:04d}" for n in range(len(saved))], "expected_margin_saved": np.asarray(saved, dtype=float)})


def filled(rows: pd.DataFrame, capacity: int | None, running: pd.DataFrame = NOBODY, **changed: Any) -> pd.DataFrame:
    chosen: dict[str, Any] = {"work_list": "at_risk", "as_of": AS_OF, "hold_out_share": 0.1, "seed": 1} | changed
    return fill_list(rows, running, capacity=capacity, **chosen)


def test_who_saves_more_margin_stands_first() -> None:
    listed = filled(candidates([5.0, 90.0, 40.0]), None, hold_out_share=0.0)
    assert listed.retailer_id.to_list() == ["R0001", "R0002", "R0000"]
    assert listed["rank"].to_list() == [1, 2, 3]


def test_a_likelier_loss_of_less_margin_can_stand_behind() -> None:
    saved = expected_margin_saved([0.9, 0.3], [10.0, 100.0], saved_share=0.3, contact_cost=15.0)
    np.testing.assert_allclose(saved, [0.9 * 0.3 * 260 - 15, 0.3 * 0.3 * 2600 - 15])
    assert saved[0] < saved[1]


def test_those_left_alone_do_not_use_up_the_capacity() -> None:
    listed = filled(candidates(list(range(1000, 0, -1))), 200)
    assert (listed.assignment == "contact").sum() == 200
    assert listed.assignment.iloc[-1] == "contact"
    assert len(listed) > 200


SAVED = st.lists(st.floats(0.0, 1e6), max_size=60)


@given(SAVED, st.integers(0, 20), st.floats(0.0, 0.9), st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_the_capacity_is_never_exceeded_and_nobody_is_skipped(saved: list[float], capacity: int, share: float, seed: int) -> None:
    rows = candidates(saved)
    listed = filled(rows, capacity, hold_out_share=share, seed=seed)
    assert (listed.assignment == "contact").sum() <= capacity
    best = rows.sort_values(["expected_margin_saved", "retailer_id"], ascending=[False, True]).retailer_id
    assert listed.retailer_id.to_list() == best.to_list()[: len(listed)]


@given(SAVED, st.integers(0, 20), st.randoms())
@settings(deadline=None, max_examples=40)
def test_the_same_candidates_in_any_order_give_the_same_list(saved: list[float], capacity: int, random: Any) -> None:
    rows = candidates(saved)
    shuffled = rows.sample(frac=1.0, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(filled(rows, capacity), filled(shuffled, capacity))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_about_the_share_asked_for_is_left_alone(share: float) -> None:
    listed = filled(candidates([1.0] * 20_000), None, hold_out_share=share)
    assert abs((listed.assignment == "hold_out").mean() - share) < 4 * (share * (1 - share) / 20_000) ** 0.5


def test_the_draw_is_even_and_its_parts_do_not_hang_together() -> None:
    names = [f"R{n}" for n in range(20_000)]
    at_risk, win_back = ([draw(work_list, AS_OF, name, 1) for name in names] for work_list in ("at_risk", "win_back"))
    counts, _ = np.histogram(at_risk, bins=10, range=(0.0, 1.0))
    assert np.abs(counts - 2000).max() < 4 * 2000**0.5
    assert abs(np.corrcoef(at_risk, win_back)[0, 1]) < 0.03


def test_who_is_left_alone_stays_so_for_13_weeks_and_is_drawn_again_then() -> None:
    rows = candidates([1.0] * 400)
    history: list[pd.DataFrame] = []
    for week in range(2 * EPISODE_WEEKS):
        as_of = AS_OF + timedelta(weeks=week)
        past = pd.concat(history, ignore_index=True) if history else pd.DataFrame(columns=["list", "retailer_id", "as_of", "assignment"])
        listed = filled(rows, None, open_episodes(past, as_of), as_of=as_of)
        history.append(listed.assign(list="at_risk", as_of=as_of))
    weeks = pd.concat(history, ignore_index=True).pivot_table(index="retailer_id", columns="as_of", values="assignment", aggfunc="first")
    first, second = weeks.iloc[:, :EPISODE_WEEKS], weeks.iloc[:, EPISODE_WEEKS:]
    for episode in (first, second):
        assert episode.eq(episode.iloc[:, 0], axis=0).all().all()
        assert 15 <= (episode.iloc[:, 0] == "hold_out").sum() <= 65
    assert set(first.index[first.iloc[:, 0] == "hold_out"]) != set(second.index[second.iloc[:, 0] == "hold_out"])


def test_who_is_left_alone_by_one_list_is_on_no_other() -> None:
    past = pd.DataFrame(
        {
            "list": "at_risk",
            "retailer_id": ["R0000", "R0001"],
            "as_of": [AS_OF - timedelta(weeks=2)] * 2,
            "assignment": ["hold_out", "contact"],
        }
    )
    listed = filled(candidates([1.0, 1.0, 1.0]), None, open_episodes(past, AS_OF), work_list="win_back", hold_out_share=0.0)
    assert listed.retailer_id.to_list() == ["R0001", "R0002"]


LISTED = st.lists(
    st.tuples(st.sampled_from(["at_risk", "win_back"]), st.sampled_from(["R1", "R2"]), st.integers(0, 60)), unique=True, max_size=40
)


@given(LISTED)
@settings(deadline=None, max_examples=40)
def test_episodes_do_not_overlap_and_hold_every_row(rows: list[tuple[str, str, int]]) -> None:
    listed = pd.DataFrame(
        [(name, retailer, AS_OF + timedelta(weeks=week), "contact") for name, retailer, week in rows],
        columns=["list", "retailer_id", "as_of", "assignment"],
    )
    opened = episodes(listed)
    for key, own in listed.groupby(["list", "retailer_id"]):
        starts = sorted(opened[(opened.list == key[0]) & (opened.retailer_id == key[1])].started_on)
        assert all(later - earlier >= timedelta(weeks=EPISODE_WEEKS) for earlier, later in pairwise(starts))
        assert all(sum(start <= day < start + timedelta(weeks=EPISODE_WEEKS) for start in starts) == 1 for day in own.as_of)
