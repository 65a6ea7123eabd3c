"""Which analysis views are there, and how are they made?"""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.analyses.affinity import affinity_views
from warehouse.analyses.allocated_caps import ALLOCATED_VIEWS
from warehouse.analyses.brand import brand_views
from warehouse.analyses.channel import CHANNEL_VIEWS
from warehouse.analyses.forecast import FORECAST_VIEWS
from warehouse.analyses.loyalty import LOYALTY_VIEWS
from warehouse.analyses.market import market_views
from warehouse.analyses.migration import MIGRATION_VIEWS
from warehouse.analyses.money import MONEY_VIEWS
from warehouse.analyses.profile import PROFILE_VIEWS
from warehouse.analyses.profit import PROFIT_VIEWS
from warehouse.analyses.promotion import PROMOTION_VIEWS

ANALYSIS_SCHEMA = "analysis"


def analysis_views() -> Mapping[str, str]:
    """Return the query of each view by its name in schema ``analysis``; those that others read come first."""
    return {
        **MONEY_VIEWS,
        **PROFILE_VIEWS,
        **LOYALTY_VIEWS,
        **PROFIT_VIEWS,
        **CHANNEL_VIEWS,
        **FORECAST_VIEWS,
        **affinity_views(),
        **PROMOTION_VIEWS,
        **brand_views(),
        **ALLOCATED_VIEWS,
        **market_views(),
        **MIGRATION_VIEWS,
    }
