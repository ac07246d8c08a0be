"""The Manage Centre: one page on all equipment and services, from the hub's facts and the estate's graph."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pages.assets import AssetsMissing
from starlette.routing import BaseRoute
from tracking.service import Health, Mistakes, ServiceConfig, main, together, until

from manage_centre.centre import Centre
from manage_centre.hub import HubAccess, listen
from manage_centre.page import manage_page


class ManageCentreConfig(ServiceConfig):
    """`stack` is the season's core; the page is served on `health_port`."""

    hub: HubAccess
    state_dir: Path = Path("/var/lib/etape/manage_centre")


class ManageCentre:
    """The service between its start and SIGTERM."""

    def __init__(self, config: ManageCentreConfig) -> None:
        self._config = config
        try:
            self.centre = Centre(config.stack, config.state_dir)
            self.routes: Sequence[BaseRoute] = [manage_page(self.centre)]
        except AssetsMissing as missing:
            raise Mistakes([str(missing)]) from None
        except OSError as error:
            raise Mistakes(
                [f"{config.state_dir}: cannot be written ({error.strerror}); give it to the service's user."]
            ) from None

    async def health(self) -> Health:
        """Healthy while the hub is there: without it everything on the page is unknown."""
        counts = {"nodes": len(self.centre.estate.reports), "stage": self.centre.estate.stage}
        if self.centre.hub_since is None:
            return Health(False, f"the hub {self._config.hub.url} is away", counts)
        return Health(True, "listens to the hub", counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and judge until told to stop."""
        hub = listen(self._config.hub, self.centre.hear, self.centre.hub_is)
        await until(stopping, together(hub, self.centre.run()))


if __name__ == "__main__":
    main(ManageCentreConfig, ManageCentre)
