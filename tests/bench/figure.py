"""One measured figure beside its goal and, where there is one, a peer measured in the same run."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """`higher` says which side of the goal is the good one; `peer` is the peer's value in the same unit."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    higher: bool = False
    peer: float | None = None
    peer_name: str = ""

    @property
    def meets(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.higher else self.value <= self.goal

    @property
    def ratio(self) -> float | None:
        """How many times the peer's value this one is."""
        return round(self.value / self.peer, 3) if self.peer else None

    def as_dict(self) -> dict:
        """The JSON shape that `scripts/bench --json` prints."""
        fields = asdict(self)
        del fields["higher"]
        return {**fields, "meets": self.meets, "ratio": self.ratio}

    def __str__(self) -> str:
        goal = "" if self.goal is None else f"  goal {'≥' if self.higher else '≤'} {self.goal:g}"
        verdict = {True: "  meets", False: "  FALLS SHORT", None: ""}[self.meets]
        peer = f"  {self.peer_name} {self.peer:g} (ratio {self.ratio:g})" if self.peer else ""
        return f"{self.name:<34} {self.value:>14,.2f} {self.unit}{goal}{verdict}{peer}"
