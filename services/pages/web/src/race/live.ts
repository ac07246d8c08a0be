/** The race as it goes on, from the first HTML's snapshot. */

import { firstSnapshot, Live } from '../parts/live.svelte'
import type { Snapshot } from './feed'

/** A live race has news once a second of its own clock; one that waits or is over may be silent. */
const LIVE_PATIENCE_MS = 6000

/** Null where the server gave no snapshot. */
export function liveRace(): Live<Snapshot> | null {
  const first = firstSnapshot<Snapshot>()
  if (!first) return null
  return new Live<Snapshot>({
    stream: '/api/stream',
    event: 'state',
    first,
    version: ({ race }) => `${race.status} ${race.clock_ms}`,
    patience: (data) => (data?.race.status === 'live' ? LIVE_PATIENCE_MS / Math.min(1, data.race.speed_factor) : null),
  })
}
