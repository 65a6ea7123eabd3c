"""Registers, newcomers and lines put aside: which share stops a run, and what the sentence names."""

from __future__ import annotations

from typing import Any

from models.register_checks import newcomer_finding, quarantine_findings, register_findings

LOADED = {"retailers": True, "skus": True}
NONE = {"lines": 1000, "unknown_retailers": 0, "unknown_skus": 0, "closed_retailers": 0, "delisted_skus": 0}


def severities(counts: dict[str, Any], loaded: dict[str, bool] = LOADED) -> dict[str, str]:
    return {found.check: found.severity for found in register_findings(counts, loaded=loaded) if found.severity != "ok"}


def test_registers_that_know_everybody_pass() -> None:
    assert severities(NONE) == {}


def test_a_few_unknown_retailers_are_a_warning_and_many_an_error() -> None:
    assert severities(NONE | {"unknown_retailers": 3, "unknown_retailers_first": "R9"}) == {"unknown_retailers": "warning"}
    assert severities(NONE | {"unknown_skus": 300, "unknown_skus_first": "S9"}) == {"unknown_skus": "error"}


def test_without_a_register_nobody_is_unknown_and_that_is_said() -> None:
    assert severities(NONE | {"unknown_retailers": 1000}, {"retailers": False, "skus": True}) == {"unknown_retailers": "info"}


def test_a_closed_retailer_that_orders_is_named() -> None:
    found = register_findings(NONE | {"closed_retailers": 2, "closed_retailers_first": "R7"}, loaded=LOADED)[1]
    assert (found.check, found.severity) == ("closed_retailers", "warning")
    assert "first retailer_id=R7" in found.message


def test_identifiers_in_another_form_are_an_error_and_a_young_history_is_not_judged() -> None:
    row = {"newcomers": 90, "lines": 900, "first_one": "007"}
    assert newcomer_finding("retailers", row, 1000, 30).severity == "error"
    assert newcomer_finding("retailers", row, 1000, 5).severity == "ok"
    assert newcomer_finding("retailers", row | {"lines": 120}, 1000, 30).severity == "warning"
    assert newcomer_finding("skus", row | {"lines": 20}, 1000, 30).severity == "ok"


def test_few_lines_are_put_aside_with_a_warning_and_many_stop_the_run() -> None:
    line = {"check_name": "implausible_lines", "reason": "far too many units", "retailer_id": "R1", "sku_id": "S1"}
    lines = [line | {"line_id": f"L{number:02d}", "delivered_units": 900.0, "usual_units": 3.0} for number in range(40)]
    few, many = quarantine_findings(lines[:2], 1000, 0.01), quarantine_findings(lines, 1000, 0.01)
    assert [found.severity for found in few] == ["ok", "warning"]
    assert "first line_id=L00 (R1, S1, 900 units where 3.0 are usual)" in few[1].message
    assert [found.severity for found in many] == ["ok", "error"]
    assert quarantine_findings(lines, 5000, 0.01)[1].severity == "warning"
