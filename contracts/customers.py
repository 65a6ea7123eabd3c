"""The customer tables (schema ``scored``): what account managers read of each retailer, and what it leads them to do."""

from __future__ import annotations

from contracts.scored import AS_OF, RETAILER_ID, RUN_ID, SKU_ID
from contracts.tables import Column, Kind, Table

STAGES = ("acquisition", "growth", "maintenance", "decline", "win_back")
"""Lifecycle of a retailer, from its first orders to the time after its last."""

VALUE_CLASSES = ("key", "major", "ordinary", "small", "negative")
"""Value pyramid, from the top."""

ABC_CLASSES = ("A", "B", "C")
WORK_LISTS = ("key_account", "at_risk", "win_back", "mistaken_lost")
ASSIGNMENTS = ("contact", "hold_out")
ALERTS = ("threshold_hugging", "override_cluster", "quarter_end_promotion", "self_approved", "expired_override")

RETAILER_SEGMENT = Table(
    "scored",
    "retailer_segment",
    (
        AS_OF,
        RETAILER_ID,
        Column("stage", Kind.TEXT, "lifecycle stage", required=True, choices=STAGES),
        Column("stage_prev", Kind.TEXT, "the stage of the reclassification before; null the first time", choices=STAGES),
        Column(
            "stage_seen",
            Kind.TEXT,
            "the stage its figures alone show; seen twice in a row it becomes the stage",
            required=True,
            choices=STAGES,
        ),
        Column(
            "abc_class",
            Kind.TEXT,
            "A: the first 80 % of the margin of 52 weeks, B: to 95 %, C: the rest",
            required=True,
            choices=ABC_CLASSES,
        ),
        Column("recency_score", Kind.INTEGER, "1 (long silent by its own rhythm) to 5", required=True),
        Column("frequency_score", Kind.INTEGER, "1 (orders seldom) to 5, quintiles of 52 weeks", required=True),
        Column("monetary_score", Kind.INTEGER, "1 (small margin) to 5, quintiles of 52 weeks", required=True),
        Column("satisfaction", Kind.NUMBER, "degree of satisfaction, 0 to 100; null where nothing is known of it"),
        Column("loyalty", Kind.NUMBER, "degree of loyalty, 0 to 100", required=True),
        Column("contribution", Kind.NUMBER, "degree of contribution, 0 to 100", required=True),
        Column("dependence_on_us", Kind.NUMBER, "its dependence on the wholesaler, 0 to 100: estimated share of its wallet", required=True),
        Column(
            "our_dependence",
            Kind.NUMBER,
            "the wholesaler's dependence on it, 0 to 100: its share of the margin against an even share",
            required=True,
        ),
        Column("wallet_share", Kind.NUMBER, "delivered money ÷ estimated wallet (upper quantile of its peers), 0 to 1", required=True),
        Column("margin_52w", Kind.NUMBER, "margin of the last 52 weeks, money; amount where no costs are known", required=True),
        Column("margin_share", Kind.NUMBER, "its share of everybody's margin of 52 weeks", required=True),
        Column("lifetime_value", Kind.NUMBER, "discounted margin expected of it less cost to serve, money", required=True),
        Column("value_class", Kind.TEXT, "place in the value pyramid, overrides applied", required=True, choices=VALUE_CLASSES),
        Column("value_class_prev", Kind.TEXT, "that of the reclassification before; null the first time", choices=VALUE_CLASSES),
        Column("value_class_computed", Kind.TEXT, "place in the pyramid before any override", required=True, choices=VALUE_CLASSES),
        Column("tier", Kind.TEXT, "supply tier it has; null where unknown"),
        Column("suggested_tier", Kind.TEXT, "supply tier suggested, overrides applied; null where tiers are unknown"),
        Column("change_reason", Kind.TEXT, "why stage, class or tier changed or should, in plain words; null where nothing does"),
        Column("override_id", Kind.TEXT, "override that was applied, see raw.segment_overrides; null for none"),
        Column("definition_version", Kind.TEXT, "version of the definitions of segments", required=True),
        RUN_ID,
    ),
    key=("as_of", "retailer_id"),
    description="Where a retailer stands as of a reclassification: stage, value, degrees, suggested tier. Rows of past ones stay.",
)

SEGMENT_ALERT = Table(
    "scored",
    "segment_alert",
    (
        AS_OF,
        Column("alert", Kind.TEXT, "what was noticed", required=True, choices=ALERTS),
        Column("subject", Kind.TEXT, "whom it is about: a user, an account manager, a threshold", required=True),
        Column("retailers", Kind.INTEGER, "retailers concerned", required=True),
        Column("detail", Kind.TEXT, "the finding in plain words with its numbers", required=True),
        RUN_ID,
    ),
    key=("as_of", "alert", "subject"),
    description="Something in a reclassification that a second pair of eyes should see.",
)

WORK_LIST = Table(
    "scored",
    "work_list",
    (
        AS_OF,
        Column("list", Kind.TEXT, "key_account, at_risk, win_back or mistaken_lost", required=True, choices=WORK_LISTS),
        RETAILER_ID,
        Column("rank", Kind.INTEGER, "1 is first; by expected_margin_saved", required=True),
        Column(
            "assignment",
            Kind.TEXT,
            "contact, or hold_out: left alone so that the effect can be measured",
            required=True,
            choices=ASSIGNMENTS,
        ),
        Column("account_manager", Kind.TEXT, "who looks after it; null where unknown"),
        Column("p_churn_13w", Kind.NUMBER, "probability of no order in the next 13 weeks; null for those already silent"),
        Column("lifetime_value", Kind.NUMBER, "discounted margin expected of it, money; null where unknown"),
        Column("expected_margin_saved", Kind.NUMBER, "margin a contact is expected to save, less its cost, money", required=True),
        Column("stopped_on", Kind.DATE, "Sunday of its last week with an order, for those already silent; else null"),
        Column("reason", Kind.TEXT, "why it is on the list, with its own numbers", required=True),
        RUN_ID,
    ),
    key=("as_of", "list", "retailer_id"),
    description="A retailer somebody should contact, and why.",
)

CONTACT_UPLIFT = Table(
    "scored",
    "contact_uplift",
    (
        AS_OF,
        Column("list", Kind.TEXT, "the work list measured", required=True, choices=WORK_LISTS),
        Column("contacted", Kind.INTEGER, "retailers assigned to contact whose 13 weeks are over", required=True),
        Column("reached", Kind.INTEGER, "of them, those with a visit or call logged within 4 weeks", required=True),
        Column("held_out", Kind.INTEGER, "retailers held out whose 13 weeks are over", required=True),
        Column("ordering_contacted", Kind.NUMBER, "share of those assigned to contact that ordered within 13 weeks", required=True),
        Column("ordering_held_out", Kind.NUMBER, "share of those held out that did; null where nobody was"),
        Column("uplift", Kind.NUMBER, "difference of the shares; null where nobody was held out"),
        Column("uplift_low", Kind.NUMBER, "lower end of its 90 % interval, clustered by retailer"),
        Column("uplift_high", Kind.NUMBER, "upper end"),
        RUN_ID,
    ),
    key=("as_of", "list"),
    description="What contacts achieved, measured against retailers left alone at random.",
)

CHURN_GROUP = Table(
    "scored",
    "churn_group",
    (
        AS_OF,
        Column("grouping", Kind.TEXT, "district, area, channel, tier, stage or value_class", required=True),
        Column("group_name", Kind.TEXT, "the group; empty for retailers without one", required=True),
        Column("retailers", Kind.INTEGER, "active retailers", required=True),
        Column("expected_churners_13w", Kind.NUMBER, "sum of p_churn_13w", required=True),
        Column("rate_13w", Kind.NUMBER, "mean p_churn_13w", required=True),
        Column("rate_13w_low", Kind.NUMBER, "lower end of the 90 % interval of the share that will not order", required=True),
        Column("rate_13w_high", Kind.NUMBER, "upper end", required=True),
        Column("observed_retailers", Kind.INTEGER, "retailers active 13 weeks before as_of whose outcome counts", required=True),
        Column("observed_rate_13w", Kind.NUMBER, "share of them without an order since; null where there are none"),
        Column("observed_rate_13w_low", Kind.NUMBER, "lower end of its 90 % interval (Wilson)"),
        Column("observed_rate_13w_high", Kind.NUMBER, "upper end"),
        Column("margin_26w", Kind.NUMBER, "margin of 26 weeks of the group at its present rate, money; null where unknown"),
        Column("cost_of_point", Kind.NUMBER, "margin of 26 weeks lost by one percentage point more churn, money"),
        Column("retention_worth", Kind.NUMBER, "margin of 26 weeks at risk: what full retention is worth, money"),
        RUN_ID,
    ),
    key=("as_of", "grouping", "group_name"),
    description="Churn of a group of retailers, expected and observed, and what it costs.",
)

CROSS_SELL = Table(
    "scored",
    "cross_sell",
    (
        AS_OF,
        RETAILER_ID,
        SKU_ID,
        Column("rank", Kind.INTEGER, "1 is the best for the retailer", required=True),
        Column("because_sku_id", Kind.TEXT, "the SKU it carries that speaks most for this one; null where only its peers do"),
        Column("peers", Kind.INTEGER, "retailers it is compared with", required=True),
        Column(
            "support", Kind.NUMBER, "share of the peers that carry both SKUs (the SKU alone where because_sku_id is null)", required=True
        ),
        Column("confidence", Kind.NUMBER, "share of the peers with the first that carry the second", required=True),
        Column("lift", Kind.NUMBER, "confidence ÷ share of all peers that carry it, shrunk towards 1", required=True),
        Column("expected_weekly_units", Kind.NUMBER, "units a week expected if it carried the SKU", required=True),
        Column("reason", Kind.TEXT, "why, in a plain sentence with numbers", required=True),
        RUN_ID,
    ),
    key=("as_of", "retailer_id", "sku_id"),
    description="A SKU that a retailer does not carry and its peers sell well.",
)

CUSTOMER_TABLES = (RETAILER_SEGMENT, SEGMENT_ALERT, WORK_LIST, CONTACT_UPLIFT, CHURN_GROUP, CROSS_SELL)
