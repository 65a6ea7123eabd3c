"""Whether a model that was just trained becomes the champion: its twin must not be worse than the champion's on weeks neither has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows.model_history import PROMOTED
from flows.registry import crown, decided, keep_as_challenger, registered_model
from flows.settings import Settings
from flows.tracking import ModelVersion, champion
from models.promotion_rule import OriginFigures, PromotionRule, Ruling, compare, mean_figures
from models.retraining import Due

TWIN = "twin"
"""Folder inside a registered model of its twin, which was judged."""

FINAL = "final"
"""Folder inside a registered model of the model that scores."""

RECOVERY = "recovery"
"""Folder inside a registered model of what it learned of capped orders; missing where no cap cut any."""

TRAINING = "training"
"""Who promotes, where `uncap train` did."""

Judged = tuple[OriginFigures, ...]


@dataclass(frozen=True)
class Decision:
    """Whether a version is to be champion.

    Attributes
    ----------
    champion
        Whether it is.
    why
        In plain words.
    before
        The champion it was held against; None where there was none.
    ruling
        The comparison; None where there was none.
    """

    champion: bool
    why: str
    before: str | None = None
    ruling: Ruling | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a model that was trained.

    Attributes
    ----------
    model, version
        As registered.
    decision
        Whether it is the champion now, and why.
    criterion, loss
        What decided, and how much of it the twin had on all weeks it was judged on; None without held-out weeks.
    judged
        What the twin made of each origin; none without held-out weeks.
    baseline, baseline_loss
        The best simple forecast on the same weeks, by name.
    remark
        What else is to be said of the training; None for nothing.
    """

    model: str
    version: str
    decision: Decision
    criterion: str
    loss: float | None
    judged: Judged
    baseline: str
    baseline_loss: float | None
    remark: str | None = None

    def row(self) -> dict[str, object]:
        """Return the verdict as a row for people to read."""
        return {
            "model": self.model,
            "version": self.version,
            "verdict": "champion" if self.decision.champion else "challenger",
            "why": self.decision.why,
            "judged by": self.criterion,
            "loss": self.loss,
            self.baseline: self.baseline_loss,
        }

    def sentence(self) -> str:
        """Return the verdict in one line.

        >>> verdict = Verdict("uncap-demand", "1", Decision(True, "the first"), "pinball loss", 0.31, (), "recent mean", 0.5)
        >>> verdict.sentence()
        'uncap-demand 1: pinball loss 0.3100, recent mean 0.5000; champion, the first'
        """
        judged = "not judged"
        if self.loss is not None:
            judged = f"{self.criterion} {self.loss:.4f}, {self.baseline} {_figure(self.baseline_loss)}"
        rank = "champion" if self.decision.champion else "challenger"
        return f"{self.model} {self.version}: {judged}; {rank}, {self.decision.why}" + (f"; {self.remark}" if self.remark else "")

    def lines(self) -> Iterator[str]:
        """Yield one line per origin, with the figures of both models where there were two."""
        for one in () if self.decision.ruling is None else self.decision.ruling.origins:
            figures = "; ".join(
                f"{name.replace('_', ' ')} {ours:.4f} against {one.champion[name]:.4f}"
                for name, ours in one.challenger.items()
                if name in one.champion
            )
            yield f"{self.model} {self.version} against {self.decision.before}, as of {one.origin}: {figures}"

    def document(self) -> dict[str, object]:
        """Return it as JSON can hold it."""
        origins = [{"origin": one.origin.isoformat(), "rows": one.rows, "challenger": dict(one.figures)} for one in self.judged]
        compared = {} if self.decision.ruling is None else self.decision.ruling.document()
        return {
            "model": self.model,
            "version": self.version,
            "verdict": "champion" if self.decision.champion else "challenger",
            "why": self.decision.why,
            "champion_before": self.decision.before,
            "means": mean_figures(self.judged),
            "origins": origins,
            **compared,
        }


def decide(
    settings: Settings,
    model: ModelVersion,
    judged: Judged,
    judge_rival: Callable[[ModelVersion], Judged | None],
    rule: PromotionRule,
    due: Due | None = None,
) -> Decision:
    """Decide whether a version is to be champion: if it is the first, or the rule says so; nothing is changed yet.

    Parameters
    ----------
    model
        The version, registered.
    judged
        What its twin made of each origin. Where there is none, it passes only before a champion that was not judged either: newer data
        are better than older, but not than a figure.
    judge_rival
        Judges the champion's twin at the same origins; None where it takes features that are no longer made: it loses.
    due
        Why the model was due, with the champion's bounds in mind; None where it was not.
    """
    current, registered = champion(settings, model.name), registered_model(settings, model.name)
    if current is None:
        return Decision(champion=True, why="the first")
    before, known = current.version, current.tags.get("as_of", "")
    if known > model.tags.get("as_of", ""):
        # it has seen the weeks on which the two would be compared, and newer data are not given up for older
        return Decision(champion=False, why=f"version {before} knows more: it was trained as of {known}", before=before)
    decision = _compared(current, judged, judge_rival, rule, due)
    if registered.pinned is not None:
        would = "would have been champion" if decision.champion else "would have stayed challenger"
        return Decision(
            champion=False, why=f"version {before} is pinned; it {would}: {decision.why}", before=before, ruling=decision.ruling
        )
    return decision


def carry_out(settings: Settings, model: ModelVersion, decision: Decision) -> None:
    """Promote a version that is to be champion, and write that down; mark another as the challenger."""
    if decision.champion:
        decided(settings, registered_model(settings, model.name), PROMOTED, model.version, by=TRAINING, why=decision.why)
        crown(settings, model.name, model.version)
    else:
        keep_as_challenger(settings, model)


def _compared(
    current: ModelVersion, judged: Judged, judge_rival: Callable[[ModelVersion], Judged | None], rule: PromotionRule, due: Due | None
) -> Decision:
    """Hold it against the champion."""
    before = current.version
    if not judged:
        wins = not _was_judged(current)
        why = f"for its newer data, before version {before}, not judged either" if wins else f"not judged, while version {before} was"
        return Decision(wins, why, before)
    rival = judge_rival(current)
    if rival is None:
        return Decision(champion=True, why=f"version {before} takes features that are no longer made", before=before)
    forced = due is not None and due.forced
    ruling = compare(judged, rival, rule, forced=forced)
    why = f"{'instead of' if ruling.passed else 'behind'} version {before}: {ruling.sentence()}"
    if forced and due is not None:
        why += f" (version {before} left its bounds: {due.reason})"
    return Decision(ruling.passed, why, before, ruling)


def _was_judged(model: ModelVersion) -> bool:
    """Tell whether its training had held-out weeks: only then it logged headline figures."""
    return any(name.startswith("headline.") for name in model.metrics)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
