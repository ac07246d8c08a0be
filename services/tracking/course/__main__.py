"""A course as the tracking sees it, or all that is wrong with it.

Examples:
  python -m tracking.course stacks/courses/2022-21.geojson
  python -m tracking.course stage.gpx --official-km 181.5 --neutral-km 6.2 --checkpoint 45.123,5.678=92.5 --json
"""

import sys

from tracking.course.sheet import main

sys.exit(main(__doc__))
