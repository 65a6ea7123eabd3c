"""What is kept of how a trained model was judged: figures per origin, a document, a card, a tag; and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flows.console import Say
from flows.model_card import CARD_FILE, DESCRIPTION_CHARACTERS, model_card
from flows.recording import code_version
from flows.registering import Verdict
from flows.registry import VERDICT_TAG, describe, logged_run, tag_version
from flows.settings import Settings
from flows.timing import Stopwatch
from flows.tracking import ModelVersion, TrackedRun
from models.promotion_rule import mean_figures
from models.retraining import Due

VERDICT_FILE = "verdict.json"


@dataclass(frozen=True)
class Training:
    """The training that a model comes from: its run of uncap, what took how long, and why the model was due, if it was."""

    run_id: str
    watch: Stopwatch
    due: Due | None

    def tags(self, as_of: date) -> dict[str, str]:
        """Return the tags of its MLflow runs and of the versions they register."""
        due = {} if self.due is None else {"was_due": self.due.reason}
        return {"as_of": as_of.isoformat(), "uncap_run_id": self.run_id, "code_version": code_version()} | due


def log_verdict(settings: Settings, tracked: TrackedRun, registered: ModelVersion, verdict: Verdict) -> None:
    """Log figures per origin as the steps 1, 2, …, the verdict as a document and a tag, and the card, also as the version's description."""
    for step, one in enumerate(verdict.judged, start=1):
        tracked.log_metrics({f"judged.{name}": figure for name, figure in one.figures.items()}, step=step)
    tracked.log_metrics({f"judged.mean.{name}": figure for name, figure in mean_figures(verdict.judged).items()})
    if verdict.decision.ruling is not None:
        for step, compared in enumerate(verdict.decision.ruling.origins, start=1):
            tracked.log_metrics({f"judged.champion.{name}": figure for name, figure in compared.champion.items()}, step=step)
    document = verdict.document()
    tracked.log_document(VERDICT_FILE, document)
    rank = "champion" if verdict.decision.champion else "challenger"
    tag_version(settings, registered, {VERDICT_TAG: f"{rank}, {verdict.decision.why}"})
    card = model_card(registered.name, registered.version, logged_run(settings, tracked.run_id), document)
    tracked.log_page(CARD_FILE, card)
    describe(settings, registered, card[:DESCRIPTION_CHARACTERS])


def tell(verdict: Verdict, say: Say) -> None:
    """Tell a verdict, and the figures at each origin."""
    say(verdict.sentence())
    for line in verdict.lines():
        say(line)
