"""Exports the states of a replay, or of a stage in the archive, as GeoParquet, CSV, GPX or OGC Moving Features JSON.

Examples:
  scripts/replay export states.parquet --format geoparquet --out stage.parquet
  scripts/replay export states.parquet --format gpx --rider 11 --rider 12 --every 5 --out two.gpx
  scripts/replay export --config /etc/etape/archive.json --format mf-json --every 10 --out stage.json
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from tracking.archive import ArchiveConfig
from tracking.command_line import described_parser
from tracking.draft import draft_of
from tracking.exports.rides import write_gpx, write_moving_features
from tracking.exports.source import SourceError, chosen, from_archive, from_file
from tracking.exports.tables import write_csv, write_geoparquet
from tracking.service import Mistakes, load_config
from tracking.store.parts import STORE_TROUBLE, PartStore, Shelf

Writer = Callable[[Iterator[pa.Table], Path], int]
WRITERS: dict[str, Writer] = {
    "geoparquet": write_geoparquet,
    "csv": write_csv,
    "gpx": write_gpx,
    "mf-json": write_moving_features,
}
FAILED, UNUSABLE = 1, 2


def main(arguments: Sequence[str]) -> int:
    """0 when the file is there whole; 2 for what was asked wrongly, 1 where a store or a disk is to blame."""
    options = _parser().parse_args(arguments)
    if (options.states is None) == (options.config is None):
        print("Name a file of states, or --config for a stage in the archive, and not both.", file=sys.stderr)
        return UNUSABLE
    try:
        tables = chosen(_source(options), frozenset(options.rider), options.every)
        with draft_of(options.out) as draft:
            count = WRITERS[options.format](tables, draft)
            if not count:
                raise SourceError("There is nothing to export: no such rider, or no states.")
    except (SourceError, Mistakes) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except STORE_TROUBLE as error:
        print(f"The object store does not give the states ({error}). Start it and try again.", file=sys.stderr)
        return FAILED
    except (OSError, pa.ArrowException) as error:
        print(f"{options.out}: cannot be written ({error}). Make room or name another place.", file=sys.stderr)
        return FAILED
    print(f"{options.out}: {count:,} {'points' if options.format in ('gpx', 'mf-json') else 'rows'}")
    return 0


def _source(options: argparse.Namespace) -> Iterator[pa.Table]:
    if options.config is None:
        return from_file(options.states)
    settings = load_config(ArchiveConfig, options.config)
    store, stage = PartStore(settings.object_store), (settings.stage.edition, settings.stage.number)
    run = options.run or store.newest_run("states", *stage)
    if run is None:
        raise SourceError(f"{options.config}: the archive has no states of stage {stage[1]} of {stage[0]}.")
    return from_archive(store, Shelf("states", *stage, run))


def _parser() -> argparse.ArgumentParser:
    parser = described_parser("scripts/replay export", __doc__)
    parser.add_argument("states", type=Path, nargs="?", metavar="STATES", help="a file that scripts/replay wrote")
    parser.add_argument("--config", type=Path, help="instead: the archive's own config file, which names the stage")
    parser.add_argument("--run", type=int, help="run of the stage in the archive; the last where it is left out")
    parser.add_argument("--format", choices=sorted(WRITERS), required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--rider", action="append", default=[], help="only this rider; repeatable")
    parser.add_argument("--every", type=int, default=1, metavar="S", help="only every S-th second (default: 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
