"""Whether a model that was just trained becomes the champion: its twin must not be worse than the champion's on weeks neither has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flows.settings import Settings
from flows.tracking import ModelVersion, champion, keep_as_challenger, promote

TWIN = "twin"
"""Folder inside a registered model of its twin, which was judged."""

FINAL = "final"
"""Folder inside a registered model of the model that scores."""

RECOVERY = "recovery"
"""Folder inside a registered model of what it learned of capped orders; missing where no cap cut any."""


@dataclass(frozen=True)
class Verdict:
    """What became of a model that was trained.

    Attributes
    ----------
    model, version
        As registered.
    champion
        Whether it is the champion now.
    criterion, loss
        What decided, and how much of it the twin had; None without held-out weeks.
    champion_loss, champion_version
        The same of the champion it had to beat; None where there was none.
    baseline, baseline_loss
        The best simple forecast on the same weeks, by name.
    remark
        What else is to be said of the training; None for nothing.
    """

    model: str
    version: str
    champion: bool
    criterion: str
    loss: float | None
    champion_loss: float | None
    champion_version: str | None
    baseline: str
    baseline_loss: float | None
    remark: str | None = None

    def row(self) -> dict[str, object]:
        """Return the verdict as a row for people to read."""
        return {
            "model": self.model,
            "version": self.version,
            "verdict": "champion" if self.champion else "challenger",
            "judged by": self.criterion,
            "loss": self.loss,
            "champion before": self.champion_loss,
            self.baseline: self.baseline_loss,
        }

    def sentence(self) -> str:
        """Return the verdict in one line.

        >>> Verdict("uncap-demand", "2", False, "pinball loss", 0.31, 0.30, "1", "recent mean", 0.5).sentence()
        'uncap-demand 2: pinball loss 0.3100, recent mean 0.5000; stays challenger to version 1 with 0.3000'
        """
        return self._verdict() + (f"; {self.remark}" if self.remark else "")

    def _verdict(self) -> str:
        judged = f"{self.criterion} {_figure(self.loss)}, {self.baseline} {_figure(self.baseline_loss)}"
        if self.champion_version is None:
            return f"{self.model} {self.version}: {judged}; champion, the first"
        rival = f"version {self.champion_version}" + ("" if self.champion_loss is None else f" with {_figure(self.champion_loss)}")
        if self.loss is None:
            verdict = "champion for its newer data, before" if self.champion else "stays challenger to"
            return f"{self.model} {self.version}: not judged; {verdict} {rival}"
        return f"{self.model} {self.version}: {judged}; {'champion, not worse than' if self.champion else 'stays challenger to'} {rival}"


def decide(
    settings: Settings, model: ModelVersion, loss: float | None, loss_of: Callable[[ModelVersion], float]
) -> tuple[bool, float | None, str | None]:
    """Promote a version if it is the first or not worse than the champion, else keep it as challenger.

    Parameters
    ----------
    loss
        Of the version's twin; None where no held-out weeks could be had. Then it passes only before a champion that was not judged
        either: newer data are better than older, but not than a figure.
    loss_of
        Measures the champion's twin on the same weeks.

    Returns
    -------
    tuple
        Whether it is champion now, the loss of the champion before, and that champion's version (both None where there was none).
    """
    current = champion(settings, model.name)
    if current is None:
        promote(settings, model)
        return True, None, None
    if current.tags.get("as_of", "") > model.tags.get("as_of", ""):
        # it has seen the weeks on which the two would be compared, and newer data are not given up for older
        keep_as_challenger(settings, model)
        return False, None, current.version
    champion_loss = None if loss is None else loss_of(current)
    wins = not _was_judged(current) if loss is None or champion_loss is None else loss <= champion_loss
    (promote if wins else keep_as_challenger)(settings, model)
    return wins, champion_loss, current.version


def _was_judged(model: ModelVersion) -> bool:
    """Tell whether its training had held-out weeks: only then it logged headline figures."""
    return any(name.startswith("headline.") for name in model.metrics)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
