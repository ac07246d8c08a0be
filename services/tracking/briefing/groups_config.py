"""The group rules as the processor's and the feed's config say them; light, as the feed needs nothing of the kernel."""

from typing import Self

from pydantic import Field, model_validator

from tracking.groups import DEFAULT_RULES, GroupRules
from tracking.service import Section


class GroupsConfig(Section):
    """When riders are one group; the feed shows it."""

    split_s: float = Field(default=DEFAULT_RULES.split_s, gt=0)
    join_s: float = Field(default=DEFAULT_RULES.join_s, gt=0)

    @model_validator(mode="after")
    def _keeps_apart(self) -> Self:
        if self.join_s > self.split_s:
            raise ValueError(f"join_s ({self.join_s:g}) is above split_s ({self.split_s:g}), so groups would flicker")
        return self

    @property
    def rules(self) -> GroupRules:
        """As the tracker takes them."""
        return GroupRules(self.split_s, self.join_s)
