"""What `check` found, as a table and as sentences."""

from collections.abc import Iterable


def troubles(results: Iterable[dict]) -> list[str]:
    """Sentences from the results of `etape.node.state` in check mode and of `etape.node.conditions`."""
    drift, promises = results
    return [*_drift(drift), *_broken(promises)]


def check_table(hosts: Iterable[dict]) -> list[str]:
    """A line a node: its name, whether it drifted, how many promises hold; below it what is wrong."""
    return [line for host in hosts for line in _lines(host["inventory_hostname"], host["drift"], host["promises"])]


def _lines(name: str, drift: dict, promises: dict) -> list[str]:
    wrong = troubles([drift, promises])
    promised, broken = promises.get("looked_at", 0), len(_broken(promises))
    state = "drifted" if _drift(drift) else "as deployed"
    head = f"{'✗' if wrong else '✓'} {name:<20} {state:<12} {promised - broken}/{promised} promises hold"
    return [head, *(f"    {trouble}" for trouble in wrong)]


def _drift(drift: dict) -> list[str]:
    if "changes" not in drift:
        return [f"drift is not known: {drift.get('msg', 'no answer')}"]
    return [f"drifted, a deploy would mend it: {change}" for change in drift["changes"]]


def _broken(promises: dict) -> list[str]:
    return promises.get("troubles", [promises.get("msg", "no answer")])


class FilterModule:
    """Filters of the collection."""

    def filters(self) -> dict:
        """By name."""
        return {"troubles": troubles, "check_table": check_table}
