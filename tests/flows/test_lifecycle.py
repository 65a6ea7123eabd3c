"""Who decides which version scores: people promote, roll back and pin; training respects that; and nothing in the store runs as code."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts.errors import TrackingError, UsageError
from contracts.monitoring import MONITORING
from flows.cli import main
from flows.features_made import demand_features, features_of, features_version
from flows.lifecycle import pin, promote, roll_back, unpin
from flows.model_choice import find_models, number_as_of
from flows.model_history import PROMOTED
from flows.models_table import as_json, list_models, read_cards
from flows.opening import open_warehouse
from flows.registering import FINAL, Decision, Judged, carry_out, decide
from flows.registry import FEATURES_TAG, RegisteredModel, crown, decided, registered_model
from flows.retraining import due_models
from flows.settings import Settings, read_settings
from flows.tracking import CHURN_MODEL, DEMAND_MODEL, ModelVersion, model_folder, opened_store, tracked_run
from models.demand import DemandModel
from models.demand_serving import ServedDemand, served_rows
from models.promotion_rule import OriginFigures, PromotionRule
from models.retraining import Due
from tests.flows.tiny_demand import tiny_model
from warehouse.publish import publish
from warehouse.runs import finish_run, start_run

RULE = PromotionRule("pinball_loss", worse_at_origin=0.05, worse_when_forced=0.05, guards=())
DAYS = {"1": "2019-08-04", "2": "2019-09-01", "3": "2019-09-29"}
BY = {"by": "asha", "why": "a test"}


@pytest.fixture(scope="module")
def store_of_three(tmp_path_factory: pytest.TempPathFactory, migrated_store: Path) -> Path:
    """A store with three versions of one tiny model, trained as of ``DAYS``; none is champion."""
    folder = tmp_path_factory.mktemp("three")
    shutil.copy(migrated_store, folder / "mlflow.db")
    settings = read_settings(environment={"UNCAP_TRACKING_URI": str(folder)})
    model, rows = tiny_model()
    model.save(folder / "saved" / FINAL)
    example = served_rows(rows.take(np.arange(3)), model.space.names)
    tags = {"as_of": DAYS["1"], FEATURES_TAG: features_version(demand_features(model.space))}
    with tracked_run(settings, "demand", tags) as run:
        run.log_metrics({"model.pinball_loss": 0.3, "headline.pinball_loss": 0.3, "recent_mean.pinball_loss": 0.5})
        run.register_model(
            DEMAND_MODEL,
            folder / "saved",
            model_class="models.demand_serving:ServedDemand",
            input_example=example,
            output_example=ServedDemand(model).predict(example),
        )
    with opened_store(settings) as store:
        first = store.get_model_version(DEMAND_MODEL, "1")
        for number in ("2", "3"):
            store.create_model_version(
                DEMAND_MODEL, str(first.source), first.run_id, tags=tags | {"as_of": DAYS[number]}, model_id=first.model_id
            )
    return folder


@pytest.fixture
def three(store_of_three: Path, settings: Settings, tmp_path: Path) -> Settings:
    """Settings on a copy of that store."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(store_of_three / "mlflow.db", tmp_path / "mlruns" / "mlflow.db")
    return settings


@pytest.fixture(scope="module")
def store_in_order(store_of_three: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same store after 1, 2 and 3 were promoted, as three trainings would have."""
    folder = tmp_path_factory.mktemp("ordered")
    shutil.copy(store_of_three / "mlflow.db", folder / "mlflow.db")
    settings = read_settings(environment={"UNCAP_TRACKING_URI": str(folder)})
    for number in DAYS:
        model = registered_model(settings, DEMAND_MODEL)
        known = replace(model, versions=model.versions[: int(number)])
        decided(settings, known, PROMOTED, number, by="training", why="better")
        crown(settings, DEMAND_MODEL, number)
    return folder


@pytest.fixture
def in_order(store_in_order: Path, settings: Settings, tmp_path: Path) -> Settings:
    """Settings on a copy of that."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(store_in_order / "mlflow.db", tmp_path / "mlruns" / "mlflow.db")
    return settings


def version_of(settings: Settings, number: str) -> ModelVersion:
    found = registered_model(settings, DEMAND_MODEL).version(number)
    assert found is not None
    return ModelVersion(DEMAND_MODEL, number, found.run_id, {}, found.tags)


def aliases(settings: Settings) -> dict[str, str]:
    return dict(registered_model(settings, DEMAND_MODEL).aliases)


def losses(*values: float) -> Judged:
    return tuple(OriginFigures(date(2019, 8, 4 + k), 100, {"pinball_loss": value}) for k, value in enumerate(values))


def test_each_promotion_is_kept_with_who_when_and_why(three: Settings) -> None:
    assert promote(three, DEMAND_MODEL, "1", by="asha", why=" first\n of all ") == "uncap-demand 1 is champion, in place of None"
    promote(three, DEMAND_MODEL, "3", by="li", why="newer data")
    events = registered_model(three, DEMAND_MODEL).events
    assert [(one.what, one.before, one.after, one.by, one.why) for one in events] == [
        ("promoted", None, "1", "asha", "first of all"),
        ("promoted", "1", "3", "li", "newer data"),
    ]
    assert all(one.known_as_of == DAYS["3"] and one.at.endswith("+00:00") for one in events)
    assert aliases(three) == {"champion": "3", "previous": "1"}


def test_rolling_back_twice_leads_to_the_champion_before_the_one_before(in_order: Settings) -> None:
    roll_back(in_order, DEMAND_MODEL, **BY)
    assert aliases(in_order) == {"champion": "2", "previous": "1"}
    roll_back(in_order, DEMAND_MODEL, **BY)
    assert aliases(in_order) == {"champion": "1"}
    with pytest.raises(UsageError, match="no champion before 1 is known"):
        roll_back(in_order, DEMAND_MODEL, **BY)


def test_a_pinned_champion_is_let_alone_by_people_and_by_training_until_unpinned(in_order: Settings) -> None:
    assert "champion and pinned" in pin(in_order, DEMAND_MODEL, "2", **BY)
    with pytest.raises(UsageError, match="version 2 is pinned"):
        promote(in_order, DEMAND_MODEL, "3", **BY)
    with pytest.raises(UsageError, match="version 2 is pinned"):
        roll_back(in_order, DEMAND_MODEL, **BY)
    decision = decide(in_order, version_of(in_order, "3"), losses(0.2), lambda _: losses(0.3), RULE)
    assert not decision.champion
    assert decision.why.startswith("version 2 is pinned; it would have been champion")
    assert "no longer pinned" in unpin(in_order, DEMAND_MODEL, **BY)
    assert decide(in_order, version_of(in_order, "3"), losses(0.2), lambda _: losses(0.3), RULE).champion
    assert [one.what for one in registered_model(in_order, DEMAND_MODEL).events[3:]] == ["promoted", "pinned", "unpinned"]


def test_a_champion_that_left_its_bounds_gives_way_to_one_that_is_hardly_worse(three: Settings) -> None:
    crown(three, DEMAND_MODEL, "1")
    out = Due("bias -0.31 is out of -0.15 to 0.15", forced=True)
    for due, champion in ((None, False), (Due("trained as of 2019-08-04, 8 weeks ago", forced=False), False), (out, True)):
        decision = decide(three, version_of(three, "2"), losses(0.30, 0.31), lambda _: losses(0.30, 0.30), RULE, due)
        assert decision.champion is champion
    assert decision.why.endswith("(version 1 left its bounds: bias -0.31 is out of -0.15 to 0.15)")


def test_a_model_that_knows_less_than_the_champion_is_kept_out_unjudged(three: Settings) -> None:
    crown(three, DEMAND_MODEL, "3")
    decision = decide(three, version_of(three, "2"), losses(0.0), lambda _: losses(0.3), RULE)
    assert (decision.champion, decision.why) == (False, "version 3 knows more: it was trained as of 2019-09-29")


def test_a_champion_that_cannot_be_asked_any_more_gives_way(three: Settings) -> None:
    crown(three, DEMAND_MODEL, "1")
    assert decide(three, version_of(three, "2"), losses(0.5), lambda _: None, RULE).champion
    # a version that could not be judged is no better than one that was
    assert not decide(three, version_of(three, "2"), (), lambda _: losses(0.3), RULE).champion


def test_a_version_that_does_not_pass_is_marked_as_the_challenger_and_nothing_is_written_down(three: Settings) -> None:
    crown(three, DEMAND_MODEL, "1")
    carry_out(three, version_of(three, "2"), Decision(champion=False, why="behind"))
    assert aliases(three) == {"champion": "1", "challenger": "2"}
    assert registered_model(three, DEMAND_MODEL).events == ()
    promote(three, DEMAND_MODEL, None, **BY)
    assert aliases(three) == {"champion": "2", "previous": "1"}


def test_a_decision_whose_process_died_before_it_was_carried_out_counts_for_nothing(in_order: Settings) -> None:
    decided(in_order, registered_model(in_order, DEMAND_MODEL), PROMOTED, "1", by="asha", why="killed before the alias was set")
    assert registered_model(in_order, DEMAND_MODEL).line == ["1", "2", "3"]
    roll_back(in_order, DEMAND_MODEL, **BY)
    assert aliases(in_order) == {"champion": "2", "previous": "1"}


def test_the_model_as_of_then_is_the_champion_of_then(in_order: Settings) -> None:
    then = {"2019-08-04": "1", "2019-08-25": "1", "2019-09-01": "2", "2019-12-29": "3"}
    model = registered_model(in_order, DEMAND_MODEL)
    assert {day: number_as_of(model, date.fromisoformat(day)) for day in then} == then
    demand, churn = find_models(in_order, date(2019, 9, 8), "as-of")
    assert (demand.version, churn) == ("2", None)
    assert find_models(in_order, date(2019, 9, 8))[0].version == "3"
    with pytest.raises(TrackingError, match=r"was trained as of 2019-07-28 or before; the first is of 2019-08-04"):
        find_models(in_order, date(2019, 7, 28), "as-of")


def test_a_rollback_counts_from_the_newest_sunday_that_was_known_then(in_order: Settings) -> None:
    roll_back(in_order, DEMAND_MODEL, **BY)
    chosen = {day: number_as_of(registered_model(in_order, DEMAND_MODEL), date.fromisoformat(day)) for day in DAYS.values()}
    assert chosen == {"2019-08-04": "1", "2019-09-01": "2", "2019-09-29": "2"}


def test_where_no_champion_is_of_then_the_newest_version_of_then_is_taken(three: Settings) -> None:
    crown(three, DEMAND_MODEL, "3")
    assert number_as_of(registered_model(three, DEMAND_MODEL), date(2019, 9, 8)) == "2"
    assert number_as_of(RegisteredModel(DEMAND_MODEL), date(2019, 9, 8)) is None


SAID = {
    "promote demand 9 --reason x": (2, "give one of those that exist: 1, 2, 3"),
    "promote supply 2 --reason x": (2, "give demand or churn"),
    "promote churn --reason x": (2, "there is no challenger to promote"),
    "rollback demand --reason x": (2, "promote one by its number: 1, 2, 3"),
    "promote demand 2": (2, "--reason"),
    "promote demand 2 --reason x --user asha": (0, "uncap-demand 2 is champion"),
    "promote demand 2 --reason again": (0, "is champion already; nothing was changed"),
    "models --card 8": (2, "give one of those that exist: uncap-demand 1, 2, 3; uncap-churn none"),
    "models demand": (0, "no verdict was kept"),
}


def test_each_command_says_what_it_did_or_what_to_do(
    three: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNCAP_TRACKING_URI", three.tracking.uri)
    for words, (code, told) in SAID.items():
        assert main(words.split()) == code
        assert told in "".join(capfd.readouterr())


def test_the_list_of_models_has_versions_aliases_figures_and_decisions(in_order: Settings) -> None:
    demand, churn = json.loads(as_json(list_models(in_order)))
    assert (demand["model"], churn["versions"]) == ("uncap-demand", [])
    newest = demand["versions"][0]
    assert (newest["version"], newest["as_of"], newest["aliases"], newest["figures"]) == ("3", DAYS["3"], ["champion"], {"pinball": 0.3})
    assert newest["features_version"] == features_version(["mean_13w", "order_rate_13w"])
    assert [event["after"] for event in demand["history"]] == ["1", "2", "3"]


def test_a_card_is_made_of_what_was_logged(three: Settings) -> None:
    (card,) = read_cards(three, "2")
    assert card.startswith("# uncap-demand 2\n")
    assert "| this model | 0.3 | – |" in card
    assert "| recent mean | 0.5 | – |" in card
    assert f"uncap train --as-of {DAYS['1']}" in card  # of the run, which all three share here


def test_a_version_whose_features_are_not_made_is_refused(three: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.features_made.PAIR_FEATURES", ())
    with pytest.raises(UsageError, match=r"does not make 2 features that it takes, the first mean_13w"):
        promote(three, DEMAND_MODEL, "1", **BY)
    assert aliases(three) == {}


def measure(settings: Settings, weeks: int, value: float, **others: object) -> None:
    """Publish what monitoring would have measured of the demand model so many weeks after the champion's training."""
    as_of = date.fromisoformat(DAYS["3"]) + timedelta(weeks=weeks)
    row = {"as_of": as_of, "area": "demand", "measure": "bias", "slice_kind": "all", "slice_value": "all", "value": value, "lower": -0.15}
    row |= {"upper": 0.15, "error": 0.01, "n": 900, "status": "alert", "retrains": True, "message": "too low", "run_id": "r", **others}
    columns = {name: pa.array([row.get(name)], MONITORING.arrow_schema.field(name).type) for name in MONITORING.column_names}
    with open_warehouse(settings) as con:
        publish(con, {MONITORING: pa.table(columns)}, as_of=as_of, keep_weeks={})


def due_after(settings: Settings, weeks: int) -> dict[str, Due]:
    with open_warehouse(settings) as con:
        return due_models(con, settings, date.fromisoformat(DAYS["3"]) + timedelta(weeks=weeks))


def test_a_champion_is_due_when_old_or_out_of_its_bounds_and_one_that_is_not_there_always(in_order: Settings) -> None:
    missing = {CHURN_MODEL: Due("there is no champion yet", forced=False)}
    assert due_after(in_order, 7) == missing
    assert due_after(in_order, 8) == missing | {DEMAND_MODEL: Due("trained as of 2019-09-29, 8 weeks ago", forced=False)}
    for weeks, bias in ((2, -0.3), (3, -0.3), (4, -0.2)):  # the first two mostly of forecasts of the version before
        measure(in_order, weeks, bias)
    assert due_after(in_order, 4) == missing
    measure(in_order, 5, -0.2, retrains=False)
    assert due_after(in_order, 5) == missing
    measure(in_order, 5, -0.31)
    reason = "bias -0.31 is out of -0.15 to 0.15, as of 2019-11-03 and 1 time before"
    assert due_after(in_order, 5) == missing | {DEMAND_MODEL: Due(reason, forced=True)}


def test_a_model_for_which_there_was_too_little_is_tried_again_when_one_would_be_old(in_order: Settings) -> None:
    now = datetime(2019, 9, 30, tzinfo=UTC)
    with open_warehouse(in_order) as con:
        run = start_run(con, "train", as_of=date.fromisoformat(DAYS["3"]), started_at=now, process_id=1, code_version="1")
        finish_run(con, run, finished_at=now, status="succeeded", rows_written={}, demand_model_version="3")
    assert [sorted(due_after(in_order, weeks)) for weeks in (7, 8)] == [[], [CHURN_MODEL, DEMAND_MODEL]]


def test_a_pinned_champion_is_never_due(in_order: Settings) -> None:
    pin(in_order, DEMAND_MODEL, None, **BY)
    assert sorted(due_after(in_order, 20)) == [CHURN_MODEL]


WATCHED: list[str] | None = None


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what is unpickled, imported or run from a file; an audit hook cannot be taken away again, so it looks whether it is asked."""
    if WATCHED is not None and event in ("pickle.find_class", "exec", "compile"):
        WATCHED.append(f"{event} {arguments[1] if event == 'compile' else arguments[0]}")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What is unpickled or compiled from now on in this process."""
    sys.addaudithook(watch)
    monkeypatch.setattr(sys.modules[__name__], "WATCHED", [])
    return lambda: list(WATCHED or [])


def test_loading_a_version_unpickles_nothing_and_runs_nothing_of_the_store(
    store_of_three: Path, three: Settings, tmp_path: Path, watched: Callable[[], list[str]]
) -> None:
    logged = next((store_of_three / "artifacts").rglob("MLmodel")).parent
    marker = tmp_path / "ran"
    planted = logged / "python_model.pkl"
    code = next(logged.glob("*.py"))
    kept = code.read_text(encoding="utf-8")
    # a pickle that would make the marker file when opened, and a line that would when the code is run
    planted.write_bytes(b"cposix\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    code.write_text(f"open({str(marker)!r}, 'w')\n{kept}", encoding="utf-8")
    try:
        promote(three, DEMAND_MODEL, "2", **BY)
        demand, _ = find_models(three, date(2019, 9, 29))
        folder = model_folder(three, demand)
        assert features_of(DEMAND_MODEL, folder) == ["mean_13w", "order_rate_13w"]
        assert DemandModel.load(folder / FINAL).space.plain == ("mean_13w", "order_rate_13w")
    finally:
        planted.unlink()
        code.write_text(kept, encoding="utf-8")
    assert not marker.exists()
    assert not [event for event in watched() if "pickle" in event or str(store_of_three) in event]


def test_a_store_that_leads_a_model_outside_itself_is_refused(store_of_three: Path, three: Settings) -> None:
    described = next((store_of_three / "artifacts").rglob("MLmodel"))
    kept = described.read_text(encoding="utf-8")
    inside = next(line for line in kept.splitlines() if "path: artifacts/" in line)
    described.write_text(kept.replace(inside, inside.replace("artifacts/", "../../../../")), encoding="utf-8")
    try:
        with pytest.raises(TrackingError, match="lies outside; expected a folder inside"):
            model_folder(three, version_of(three, "1"))
    finally:
        described.write_text(kept, encoding="utf-8")
