"""The tables of monitoring (schema ``scored``): what became of forecasts, whether inputs and scores moved, what is out of bounds."""

from __future__ import annotations

from contracts.scored import AS_OF, RUN_ID
from contracts.tables import Column, Kind, Table

AREAS = ("demand", "churn", "features", "scores", "recovery", "data")
"""What a measure is about: matured demand forecasts, matured churn scores, inputs of the models, their output, recovered demand, orders."""

STATUSES = ("ok", "watch", "alert")
"""From harmless to urgent."""

MONITORING = Table(
    "scored",
    "monitoring",
    (
        AS_OF,
        Column("area", Kind.TEXT, "what is watched", required=True, choices=AREAS),
        Column("measure", Kind.TEXT, "name of the measure, see docs/monitoring.md", required=True),
        Column("slice_kind", Kind.TEXT, "what the rows were divided by: all, horizon_weeks, velocity, tier, …", required=True),
        Column("slice_value", Kind.TEXT, "which part of them", required=True),
        Column("value", Kind.NUMBER, "the measure", required=True),
        Column("error", Kind.NUMBER, "its standard error; 0 where it is counted and not sampled", required=True),
        Column("lower", Kind.NUMBER, "least value that is ok, sampling error allowed for; null is no bound"),
        Column("upper", Kind.NUMBER, "highest value that is ok; null is no bound"),
        Column("alert_lower", Kind.NUMBER, "value below which it is an alert at once; null is no bound"),
        Column("alert_upper", Kind.NUMBER, "value above which it is an alert at once; null is no bound"),
        Column("n", Kind.INTEGER, "rows it rests on", required=True),
        Column("baseline", Kind.NUMBER, "what it is held against; null where there is nothing"),
        Column("status", Kind.TEXT, "ok, watch or alert", required=True, choices=STATUSES),
        Column("since", Kind.DATE, "first as_of of the unbroken run of weeks in which it was out; null while it is ok"),
        Column("retrains", Kind.BOOLEAN, "whether being out of bounds asks for a training", required=True),
        Column("message", Kind.TEXT, "the finding in a sentence", required=True),
        RUN_ID,
    ),
    key=("as_of", "area", "measure", "slice_kind", "slice_value"),
    description="What monitoring measured as of a Sunday, each with its bounds and whether it keeps within them.",
)

FEATURE_DRIFT = Table(
    "scored",
    "feature_drift",
    (
        AS_OF,
        Column("model", Kind.TEXT, "demand or churn", required=True, choices=("demand", "churn")),
        Column("feature", Kind.TEXT, "input of the model", required=True),
        Column("psi", Kind.NUMBER, "population stability index against the newest cut-off of the model's training", required=True),
        Column("psi_usual", Kind.NUMBER, "largest index of an earlier cut-off of that training against it", required=True),
        Column("retailers", Kind.INTEGER, "retailers scored", required=True),
        Column("retailers_trained", Kind.INTEGER, "retailers at that cut-off", required=True),
        Column("bins", Kind.INTEGER, "bins that hold any", required=True),
        Column("missing_share", Kind.NUMBER, "share of the rows without a value", required=True),
        Column("missing_share_trained", Kind.NUMBER, "the same at that cut-off", required=True),
        Column("moved_most", Kind.TEXT, "the bin whose share changed most, and how, in words", required=True),
        Column("model_version", Kind.TEXT, "version whose training is compared with", required=True),
        RUN_ID,
    ),
    key=("as_of", "model", "feature"),
    description="How far each input of a model moved from what it was trained on; written while scoring, read by monitoring.",
)

MONITORING_TABLES = (MONITORING, FEATURE_DRIFT)
