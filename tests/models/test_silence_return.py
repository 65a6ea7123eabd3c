"""A silence is judged by the retailer's own rhythm, and the probabilities are those with which silences did end."""

from __future__ import annotations

import numpy as np

from models.silence_return import FEWEST_SILENCES, RETURN_WEEKS, Weeks, fit_returns, silence_rhythms

LAST_WEEK = 200


def market(seed: int, retailers: int = 900) -> dict[str, Weeks]:
    """Retailers that order at rates of their own, weekly to every tenth week, a third of which stop for good on the way."""
    random = np.random.default_rng(seed)
    orders = {}
    for number in range(retailers):
        until = random.integers(60, 230) if random.random() < 0.35 else 300
        ordered = random.random(LAST_WEEK + RETURN_WEEKS + 1) < random.choice([0.9, 0.3, 0.12])
        orders[f"R{number}"] = np.flatnonzero(ordered & (np.arange(len(ordered)) < until)).astype(np.int64)
    return orders


def test_probabilities_are_the_shares_that_returned() -> None:
    orders = market(1)
    silent = silence_rhythms(orders, {}, LAST_WEEK)
    p_return = fit_returns(orders, {}, LAST_WEEK).p_return(silent)
    returned = np.array([bool((orders[name] > LAST_WEEK).any()) for name in silent.retailer_id])
    for low, high in ((0.0, 0.3), (0.7, 1.0)):
        own = (p_return >= low) & (p_return <= high)
        assert own.sum() >= 20
        assert abs(returned[own].mean() - p_return[own].mean()) < 3 * 0.5 / own.sum() ** 0.5


def test_the_same_silence_means_more_from_a_weekly_orderer_than_from_one_that_orders_seldom() -> None:
    model = fit_returns(market(1), {}, LAST_WEEK)
    weekly, seldom = np.arange(0, LAST_WEEK - 10, dtype=np.int64), np.arange(0, LAST_WEEK - 9, 10, dtype=np.int64)
    silent = silence_rhythms({"weekly": weekly, "seldom": seldom}, {}, LAST_WEEK)
    from_weekly, from_seldom = model.p_return(silent)
    assert from_weekly < 0.2
    assert from_seldom > 0.6


def test_weeks_that_the_wholesaler_closed_do_not_count_as_silence() -> None:
    model = fit_returns(market(1), {}, LAST_WEEK)
    weekly = {"R": np.arange(0, LAST_WEEK - 12, dtype=np.int64)}
    open_all_along, starved = (silence_rhythms(weekly, {}, LAST_WEEK, {"R": share}) for share in (0.0, 0.9))
    assert model.p_return(starved)[0] > model.p_return(open_all_along)[0] + 0.2


def test_nothing_after_the_last_week_changes_anything() -> None:
    orders = market(2, 300)
    known = {name: weeks[weeks <= LAST_WEEK] for name, weeks in orders.items()}
    gone = {"R1": LAST_WEEK + 1}
    now, later = silence_rhythms(known, {}, LAST_WEEK), silence_rhythms(orders, gone, LAST_WEEK)
    assert now.equals(later)
    np.testing.assert_array_equal(fit_returns(known, {}, LAST_WEEK).p_return(now), fit_returns(orders, gone, LAST_WEEK).p_return(later))


def test_who_is_active_is_gone_or_hardly_ever_ordered_is_not_silent() -> None:
    weeks = np.arange(0, 100, dtype=np.int64)
    orders = {"active": weeks + 94, "silent": weeks + 93, "gone": weeks, "twice": weeks[:2]}
    assert silence_rhythms(orders, {"gone": 150}, LAST_WEEK).retailer_id.to_list() == ["silent"]


def test_with_few_silences_everybody_has_the_share_that_returned() -> None:
    orders = market(3, 20)
    model = fit_returns(orders, {}, LAST_WEEK)
    assert model.regression is None
    assert min(model.returned, model.silences - model.returned) < FEWEST_SILENCES
    silent = silence_rhythms(orders, {}, LAST_WEEK)
    np.testing.assert_allclose(model.p_return(silent), (model.returned + 1) / (model.silences + 2))
    assert fit_returns({}, {}, LAST_WEEK).p_return(silent[:0]).shape == (0,)
