"""Does a challenger take the champion's place, by what both forecast of the same weeks from several origins?

The rule, in words: its mean loss is not above the champion's; at most origins its loss is not clearly above the champion's; and no guard,
such as bias or calibration, is clearly worse than the champion's while out of its bounds. Where a champion left its bounds in use, newer
data count for more than origins before that: a small rise of the mean loss is forgiven, and single origins are not asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

EQUAL = 1e-9
"""Losses that differ by a smaller share are equal: threads share out the sums of linear algebra anew in each run."""


@dataclass(frozen=True)
class OriginFigures:
    """What a model made of the weeks after an origin: figures by name, and on how many rows."""

    origin: date
    rows: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Guard:
    """A figure that must not get clearly worse.

    Attributes
    ----------
    figure
        Its name; the distance of its mean over origins from 0 counts.
    bound
        Up to which it is fine whatever the champion's is; None: no such bound.
    allowance
        By what share of the champion's it may lie above that.
    """

    figure: str
    bound: float | None
    allowance: float

    def in_words(self) -> str:
        """Return what is asked of it.

        >>> Guard("bias", 0.1, 0.0).in_words(), Guard("pair_wape_loss", None, 0.05).in_words()
        ('bias within 0.1, or not above it', 'pair wape loss not more than 5% above it')
        """
        within = "" if self.bound is None else f" within {self.bound:g}, or"
        return f"{_words(self.figure)}{within} {_above(self.allowance)}"


@dataclass(frozen=True)
class PromotionRule:
    """What a challenger must show.

    Attributes
    ----------
    criterion
        The loss that decides.
    worse_at_origin
        By what share its loss at an origin may lie above the champion's.
    worse_when_forced
        By what share its mean loss may, where the champion left its bounds in use.
    guards
        Figures that must not get clearly worse.
    """

    criterion: str
    worse_at_origin: float
    worse_when_forced: float
    guards: tuple[Guard, ...]

    def in_words(self, *, forced: bool) -> str:
        """Return the rule in one sentence.

        >>> PromotionRule("pinball_loss", 0.05, 0.02, (Guard("bias", 0.1, 0.0),)).in_words(forced=False)
        'mean pinball loss not above that of the champion; at most origins not more than 5% above it; bias within 0.1, or not above it'
        """
        criterion = _words(self.criterion)
        asked = [f"mean {criterion} not above that of the champion", f"at most origins {_above(self.worse_at_origin)}"]
        if forced:
            asked = [f"mean {criterion} {_above(self.worse_when_forced, 'that of the champion')}, which left its bounds"]
        return "; ".join([*asked, *(guard.in_words() for guard in self.guards)])


@dataclass(frozen=True)
class Condition:
    """One thing that was asked, with both models' figures, and whether it was met."""

    asked: str
    challenger: float
    champion: float
    met: bool


@dataclass(frozen=True)
class ComparedOrigin:
    """An origin with the figures of both models, ISO 8601 and by name."""

    origin: str
    rows: int
    challenger: Mapping[str, float]
    champion: Mapping[str, float]


@dataclass(frozen=True)
class Ruling:
    """What came of a comparison.

    Attributes
    ----------
    rule
        In words.
    conditions
        All that was asked.
    origins
        With both models' figures, oldest first.
    """

    rule: str
    conditions: tuple[Condition, ...]
    origins: tuple[ComparedOrigin, ...]

    @property
    def passed(self) -> bool:
        """Whether every condition was met."""
        return all(condition.met for condition in self.conditions)

    def sentence(self) -> str:
        """Return what decided: the conditions that were not met, or the first."""
        missed = [condition for condition in self.conditions if not condition.met] or list(self.conditions[:1])
        return "; ".join(f"{one.asked}: {one.challenger:.4g} against {one.champion:.4g}" for one in missed)

    def document(self) -> dict[str, object]:
        """Return it as JSON can hold it."""
        return {
            "rule": self.rule,
            "conditions": [asdict(condition) for condition in self.conditions],
            "origins": [asdict(one) for one in self.origins],
        }


def compare(challenger: Sequence[OriginFigures], champion: Sequence[OriginFigures], rule: PromotionRule, *, forced: bool = False) -> Ruling:
    """Hold a challenger against the champion, paired by origin.

    Parameters
    ----------
    challenger, champion
        Figures at the same origins, at least one, in the same order.
    forced
        Whether the champion left its bounds in use.

    Raises
    ------
    ValueError
        If the origins differ, or there is none.

    Examples
    --------
    >>> def at(day, loss):
    ...     return OriginFigures(date(2019, 9, day), 100, {"pinball_loss": loss})
    >>> rule = PromotionRule("pinball_loss", 0.05, 0.02, ())
    >>> compare([at(1, 0.29), at(15, 0.30)], [at(1, 0.30), at(15, 0.30)], rule).passed
    True
    """
    if not challenger or [one.origin for one in challenger] != [one.origin for one in champion]:
        raise ValueError("challenger and champion are compared at the same origins, at least one")
    conditions = [_mean_loss(challenger, champion, rule, forced=forced)]
    if not forced:
        conditions.append(_single_origins(challenger, champion, rule))
    conditions += [_guarded(challenger, champion, guard) for guard in rule.guards if _has(guard.figure, challenger, champion)]
    origins = tuple(
        ComparedOrigin(ours.origin.isoformat(), ours.rows, ours.figures, theirs.figures)
        for ours, theirs in zip(challenger, champion, strict=True)
    )
    return Ruling(rule.in_words(forced=forced), tuple(conditions), origins)


def mean_figures(judged: Sequence[OriginFigures]) -> dict[str, float]:
    """Return the mean over origins of each figure that every origin has.

    >>> mean_figures([OriginFigures(date(2019, 9, d), 1, {"bias": b}) for d, b in ((1, 0.1), (8, -0.3))])
    {'bias': -0.1}
    """
    shared = [name for name in judged[0].figures if all(name in one.figures for one in judged)] if judged else []
    return {name: round(math.fsum(one.figures[name] for one in judged) / len(judged), 12) for name in shared}


def _mean_loss(challenger: Sequence[OriginFigures], champion: Sequence[OriginFigures], rule: PromotionRule, *, forced: bool) -> Condition:
    ours, theirs = mean_figures(challenger)[rule.criterion], mean_figures(champion)[rule.criterion]
    forgiven = rule.worse_when_forced if forced else 0.0
    asked = f"mean {_words(rule.criterion)} over {len(challenger)} origins"
    return Condition(asked, ours, theirs, ours <= theirs * (1.0 + forgiven + EQUAL))


def _single_origins(challenger: Sequence[OriginFigures], champion: Sequence[OriginFigures], rule: PromotionRule) -> Condition:
    """Ask at how many origins it is clearly worse: fewer than half of them may be."""
    limit = 1.0 + rule.worse_at_origin + EQUAL
    losses = [(ours.figures[rule.criterion], theirs.figures[rule.criterion]) for ours, theirs in zip(challenger, champion, strict=True)]
    worse, better = sum(ours > theirs * limit for ours, theirs in losses), sum(theirs > ours * limit for ours, theirs in losses)
    return Condition(f"origins at which {_words(rule.criterion)} is clearly above the other's", worse, better, 2 * worse < len(losses))


def _guarded(challenger: Sequence[OriginFigures], champion: Sequence[OriginFigures], guard: Guard) -> Condition:
    ours, theirs = mean_figures(challenger)[guard.figure], mean_figures(champion)[guard.figure]
    within = guard.bound is not None and abs(ours) <= guard.bound
    return Condition(f"mean {_words(guard.figure)}", ours, theirs, within or abs(ours) <= abs(theirs) * (1.0 + guard.allowance + EQUAL))


def _has(figure: str, *judged: Sequence[OriginFigures]) -> bool:
    return all(figure in one.figures for model in judged for one in model)


def _words(figure: str) -> str:
    return figure.replace("_", " ")


def _above(share: float, what: str = "it") -> str:
    return f"not more than {share:.0%} above {what}" if share else f"not above {what}"
