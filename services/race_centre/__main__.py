"""The public page of the race, with the feed's routes under the same origin."""

import asyncio

from pages.assets import AssetsMissing
from tracking.feed import Feed, FeedConfig
from tracking.service import Health, Mistakes, main

from race_centre.page import race_page


class RaceCentre:
    """A feed with the page in front of it; race_centre.json has the keys of feed.json."""

    def __init__(self, config: FeedConfig) -> None:
        """Raise `Mistakes` for a course that cannot be used and for a page that was not built."""
        self._feed = Feed(config)
        try:
            self.routes = [race_page(self._feed)]
        except AssetsMissing as missing:
            raise Mistakes([str(missing)]) from None

    async def health(self) -> Health:
        """As healthy as its feed: without states the page would show the past."""
        return await self._feed.health()

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the race until stopped."""
        await self._feed.run(stopping)


if __name__ == "__main__":
    main(FeedConfig, RaceCentre)
