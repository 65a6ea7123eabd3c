"""How is a churn model kept as text files in a folder, and read back, that of an earlier version too?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contracts.errors import UncapError
from models.btyd_baseline import BtydBaseline
from models.calibrated_trees import CalibratedTrees
from models.churn import ChurnModel
from models.churn_baselines import load as load_baseline
from models.churn_columns import ChurnColumns
from models.churn_rule import ChurnRule
from models.churn_trees import ChurnSettings, TreeHalves

TREES_FILE, REST_FILE = "churn_trees.txt", "churn.json"
PROMOTED_FOLDER = "promoted"
"""Holds the forecast that scores in place of the trees, where there is one."""


def save(model: ChurnModel, folder: Path) -> None:
    """Write a model into a folder that exists."""
    rest: dict[str, Any] = asdict(model.columns) | {"why_rule": model.why_rule}
    rest |= {"rule": asdict(model.rule), "settings": asdict(model.settings)}
    rest |= {"targets": {target: trees.to_json() for target, trees in model.targets.items()}}
    rest |= {"short": None if model.short is None else model.short.to_json(), "promoted": model.promoted is not None}
    if model.lost is not None:
        rest |= model.lost.to_json()
        (folder / TREES_FILE).write_text(model.lost.trees.to_text(), encoding="utf-8")
    for target, trees in model.targets.items():
        (folder / _trees_file(target)).write_text(trees.trees.to_text(), encoding="utf-8")
    if model.promoted is not None:
        (folder / PROMOTED_FOLDER).mkdir(exist_ok=True)
        model.promoted.save(folder / PROMOTED_FOLDER)
    (folder / REST_FILE).write_text(json.dumps(rest, indent=1, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> ChurnModel:
    """Return the model that `save` wrote; what an earlier version did not have is missing in it.

    Raises
    ------
    UncapError
        If the folder holds no churn model.
    """
    if not (folder / REST_FILE).exists():
        raise UncapError(f"{folder / REST_FILE}: no such file; expected a saved churn model", hint="train again with `uncap train`")
    rest = json.loads((folder / REST_FILE).read_text(encoding="utf-8"))
    columns = ChurnColumns(tuple(rest["features"]), tuple(rest["groups"]), rest["categories"])
    settings, short = ChurnSettings(**rest["settings"]), rest.get("short")
    parts = {_trees_file(target): stored for target, stored in rest.get("targets", {}).items()}
    parts |= {TREES_FILE: rest} if rest["why_rule"] is None else {}
    texts = {file: (folder / file).read_text(encoding="utf-8") for file in parts}
    trees = {file: _trees(texts[file], columns, settings, stored) for file, stored in parts.items()}
    return ChurnModel(
        lost=trees.get(TREES_FILE),
        targets={target: trees[_trees_file(target)] for target in rest.get("targets", {})},
        short=None if short is None else BtydBaseline.from_json(short),
        rule=ChurnRule.from_json(rest["rule"]),
        columns=columns,
        settings=settings,
        why_rule=rest["why_rule"],
        promoted=load_baseline(folder / PROMOTED_FOLDER) if rest.get("promoted") else None,
    )


def _trees(text: str, columns: ChurnColumns, settings: ChurnSettings, stored: Mapping[str, Any]) -> CalibratedTrees:
    return CalibratedTrees.from_stored(TreeHalves.from_text(text, columns, settings.threads), stored)


def _trees_file(target: str) -> str:
    return f"churn_trees_{target}.txt"
