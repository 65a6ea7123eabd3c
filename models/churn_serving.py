"""The churn model as a model server calls it: a frame of retailers in, their probabilities of no order out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from models import churn_storage
from models.churn import ChurnModel


@dataclass(frozen=True)
class ServedChurn:
    """The churn model behind the frame-in, frame-out call of a model server."""

    model: ChurnModel

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the folder of a registered model, whose ``final`` holds what ``churn_storage.save`` wrote."""
        return cls(churn_storage.load(folder / "final"))

    def predict(self, retailers: pd.DataFrame) -> pd.DataFrame:
        """Return what ``ChurnModel.predict`` gives for rows of features."""
        return self.model.predict(retailers)
