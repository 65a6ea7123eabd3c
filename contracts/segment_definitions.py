"""What are the segments of retailers: the thresholds behind stage, classes, degrees and tiers, under one version?

Whoever changes a number here raises ``VERSION``: rows of ``scored.retailer_segment`` carry it, and rows of two versions are not compared.
"""

from __future__ import annotations

VERSION = "1"

POPULATION_WEEKS = 52
"""Classified is who ordered in the last so many weeks and is neither closed nor replaced."""

SCORE_STEPS = 5
"""Recency, frequency and monetary scores run from 1 to this."""

ABC_SHARES = (0.80, 0.95)
"""Shares of the margin of 52 weeks at which A and B end."""

# lifecycle
ACQUISITION_WEEKS = 26
"""A retailer whose first order lies fewer weeks back is being acquired."""

UNSEEN_START_WEEKS = 13
"""A first order in the first so many weeks on record is not taken for a beginning: the retailer may have ordered before."""

SILENT_WEEKS = 8
"""No order in the last so many weeks is silence."""

SILENT_GAPS = 3.0
"""Silence of so many of a retailer's own mean gaps makes it one to win back; less is decline."""

LOST_WEEKS = 26
"""Silence of so many weeks makes it one to win back whatever its rhythm."""

GROWTH_RATIO = 4 / 3
DECLINE_RATIO = 3 / 4
"""Demand of 13 weeks against the same weeks a year before, over that of the median retailer: where growth begins, and decline."""

STEADY_SHARE = 0.25
"""So much of an average 13 weeks is added to both sides of that ratio: one order more or less is no trend for a small shop."""

CRITICAL_P_CHURN_13W = 0.40
"""From this probability of no order in 13 weeks on a retailer declines, whatever its volume."""

# value pyramid and tiers
VALUE_BOUNDARIES = (0.05, 0.20, 0.50)
"""Share of retailers, from the highest lifetime value down, at which key, major and ordinary end."""

CLASS_BUFFER = 0.20
"""A retailer rises when it lies so much of a boundary inside it, and falls when so much beyond; between, it stays where it was."""

NEGATIVE_EXIT_SHARE = 0.05
"""A negative-value retailer stays one until its value exceeds this share of the median value."""

TIER_WEIGHTS = (0.5, 0.3, 0.2)
"""Weights of value (percentile of lifetime value), contribution and loyalty in the rank that suggests a supply tier."""

TIER_BUFFER = 0.25
"""The same buffer for supply tiers, of the boundary's distance from the nearer end of the ranking."""

# degrees
SATISFACTION_WEIGHTS = (0.35, 0.15, 0.35, 0.15)
"""Weights of complaints, time to resolve, fill rate and returns."""

LOYALTY_WEIGHTS = (0.4, 0.2, 0.4)
"""Weights of regularity, tenure and breadth kept."""

HALVING_COMPLAINTS = 2.0
"""So many complaints of 52 weeks, of ordinary severity, halve that part of satisfaction."""

HALVING_RESOLVE_DAYS = 14.0
"""So many days to settle a complaint halve that part of satisfaction."""

HALVING_RETURNS = 2.0
"""So many returns of 52 weeks halve that part of satisfaction."""

ORDINARY_SEVERITY = 50.0
"""A complaint of severity 100 counts twice one of this; one without a severity counts once."""

FULL_TENURE_WEEKS = 104.0
"""Tenure of this length or more is full."""

# wallet
WALLET_QUANTILE = 0.90
"""A retailer's wallet is taken to be what this quantile of its peers spends with us, and at least what it spends itself."""

FEWEST_PEERS = 20
"""Fewer peers than this, and a wider group is taken."""

CONSUMPTION_LEVELS = 3
"""Classes of equal size by the consumption level of the neighbourhood."""

BREADTH_LEVELS = 5
"""Classes of equal size by SKUs carried: the peers of a retailer of whose shop nothing is known."""
