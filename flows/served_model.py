"""The code by which MLflow loads a registered model: it runs this file, then hands it the model's own folder.

Which class reads that folder stands in the ``model_config`` of the registered model.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class ServedModel(PythonModel):
    """A model of uncap as MLflow sees it; works where uncap is installed."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model from the folder it saved itself to."""
        module_name, _, class_name = context.model_config["model_class"].partition(":")
        self._model: Any = getattr(import_module(module_name), class_name).load(Path(context.artifacts["model"]))

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return one row of predictions for each row of features."""
        predictions: pd.DataFrame = self._model.predict(model_input)
        return predictions


set_model(ServedModel())
