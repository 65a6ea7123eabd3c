"""What customers are worth, whom to contact, what to offer: the sections of the settings that account managers decide."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flows.setting_types import Count, Ends, Section, Share


class Value(Section):
    """What goes into the lifetime value of a retailer."""

    horizon_weeks: Annotated[int, Field(ge=8)]
    yearly_discount_rate: Annotated[float, Field(ge=0)]
    cost_per_order: Annotated[float, Field(ge=0)]
    recent_weight: Annotated[float, Field(ge=0, le=1)]
    share_without_costs: Share


class ListCapacity(Section):
    """How many retailers of a work list are to be contacted, at most."""

    at_risk: Annotated[int, Field(ge=0)]
    win_back: Annotated[int, Field(ge=0)]
    mistaken_lost: Annotated[int, Field(ge=0)]


class SavedShare(Section):
    """What a contact is believed to achieve before that is measured."""

    key_account: Share
    at_risk: Share
    win_back: Share
    mistaken_lost: Share


class WorkLists(Section):
    """Whom account managers are to contact."""

    seed: int
    contact_cost: Annotated[float, Field(ge=0)]
    hold_out_share: Annotated[float, Field(ge=0, lt=1)]
    key_no_order: Annotated[list[Share], Ends]
    key_decline: Annotated[list[Share], Ends]
    win_back_weeks: Annotated[int, Field(ge=9)]
    return_probability: Share
    saved_share_spread: Share
    capacity: ListCapacity
    saved_share: SavedShare


class Audit(Section):
    """When a reclassification raises an alert."""

    false_alarm_share: Annotated[float, Field(gt=0, lt=1)]


class CrossSell(Section):
    """How SKUs that a retailer does not carry are suggested to it."""

    skus_per_retailer: Count
    peers: Count
    prior_peers: Annotated[float, Field(gt=0)]
