"""What counts as churn: the three targets, and of whom they may be asked. The one place where that is defined.

- **lost(h)**: no order of any SKU in the h weeks after ``as_of``, h of `LOST_HORIZONS`.
- **decline**: true demand of the 13 weeks after ``as_of`` is at most half of that of the same 13 weeks a year before, times the season.
- **category loss**: it goes on ordering, but for 13 weeks nothing of a category that it used to buy.

Asked of **active** retailers only. Not churn, and therefore no row: a licence that closed or was replaced, and a silence that the
wholesaler caused (stock-outs, caps of zero, weeks in which hardly anybody was served). ``docs/churn_targets.md`` gives the formulas.
"""

from __future__ import annotations

from contracts.weeks import ACTIVE_WEEKS, CHURN_HORIZONS

VERSION = "2"
"""Stored with every score. Raise it with any change of a number or a rule that the labels follow from. "1" knew lost only."""

# Who is asked
LEAST_RECENT_WEEKS = ACTIVE_WEEKS
"""Active is: ordered in the last so many weeks."""

USUAL_WEEKS = 13
"""A pair ordered in the last so many weeks is one of the retailer's usual ones."""

CLOSED_SHARE = 0.5
"""A silence is the wholesaler's when more than this share of the usual pairs' weeks was closed (stock-out, cap of zero, holiday)."""

HOLIDAY_SHARE = 0.5
"""A week is a holiday, closed to everybody, when fewer than this share of the usual number of retailers ordered."""

HOLIDAY_LEAST_RETAILERS = 20
"""No holiday is read off a wholesaler with fewer retailers in a usual week: their silence would be churn."""

# Relicensing
SUCCESSOR_EARLIEST_WEEKS = -8
"""A successor at the same place may begin so many weeks before the last order of the licence it replaces: both sell off and stock up."""

SUCCESSOR_LATEST_WEEKS = 26
"""… and at most so many weeks after it. A shop that stood empty for longer is a new shop."""

SUCCESSOR_SILENT_WEEKS = 4
"""A place is evidence only once the older licence has been silent for so many weeks: a neighbour that opened is no successor."""

PLACE_DECIMALS = 4
"""Decimals of a degree to which two shops must agree to be at the same place: 11 m north, 8 m east at 45°."""

PLACE_MOST_RETAILERS = 20
"""A place with more registered retailers is a town's centre or a mall, and no evidence."""

ADDRESS_FARTHEST_DEGREES = 0.01
"""Two shops with one address and coordinates farther apart are in streets of the same name: 1.1 km north."""

CLOSURE_LATEST_WEEKS = 26
"""A licence that ends at most so many weeks after the last order explains the silence."""

# lost
LOST_HORIZONS = CHURN_HORIZONS
"""Weeks h of lost(h)."""

AGAIN_WEEKS = 26
"""Who is silent through its window but orders within so many weeks after it was falsely taken for lost."""

# decline and category loss
DECLINE_WEEKS = 13
"""The window of decline, weeks."""

DECLINE_SHARE = 0.5
"""At most this share of last year's is a decline."""

YEAR_WEEKS = 52
"""A year before: 364 days, so that weeks are compared with weeks."""

DECLINE_LEAST_ORDER_WEEKS = 4
"""Of last year's 13 weeks so many must have an order: half of one large order is no decline."""

DECLINE_LEAST_PEERS = 10
"""The season is read off at least so many retailers; with fewer a decline is not known."""

CATEGORY_LOSS_WEEKS = 13
"""The window of category loss, weeks."""

CATEGORY_HISTORY_WEEKS = 26
"""A category that it used to buy was ordered in at least `CATEGORY_LEAST_ORDER_WEEKS` of so many weeks, …"""

CATEGORY_LEAST_ORDER_WEEKS = 8
"""… which promises 4 orders in 13 weeks: by chance (Poisson) 2 % of such categories fall silent, at 4 of 26 weeks it would be 14 %."""

CATEGORY_RECENT_WEEKS = 13
"""… and in at least one of the last so many: what it had stopped by ``as_of`` is not lost after it."""

CATEGORY_KNOWN_SHARE = 0.95
"""Asked only of retailers for whom at least this share of the ordered retailer-SKU-weeks has a category."""

# Columns of a labelled row, beside retailer_id, as_of, horizon_weeks and the features
NO_ORDER = "no_order"
"""Boolean: lost(horizon_weeks)."""

ORDERED_AGAIN = "ordered_again_26w"
"""1 or 0 where it was silent through its window: whether it ordered within 26 weeks after it. Null where it ordered in the window, or the
26 weeks are not over. Its mean is the false-churn rate."""

DECLINES = "declines"
"""1 or 0 on the rows of 13 weeks, null where it has no year or it is not known, and on the rows of other horizons."""

LOSES_CATEGORY = "loses_category"
"""1 or 0 on the rows of 13 weeks, null where it has no category to lose, stopped altogether, or categories are not known; as above."""

VOID_FROM = "void_from"
"""Sunday from which it is known, after the window, that the silence was a relicensing; null elsewhere. ``models.churn_origins`` drops the
row from every part that may know it."""
