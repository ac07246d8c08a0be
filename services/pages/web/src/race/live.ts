/** The race as it goes on, from the first HTML's snapshot. */

import { firstSnapshot, Live } from '../parts/live.svelte'
import { changed } from './changes'
import type { Race, Small, Snapshot } from './feed'

/** A live race has news once a second of its own clock; one that waits or is over may be silent. */
const LIVE_PATIENCE_MS = 6000

type Told = { race: Pick<Race, 'status' | 'clock_ms' | 'speed_factor'> }
const NEWS = {
  version: ({ race }: Told) => `${race.status} ${race.clock_ms}`,
  patience: (data: Told | null) => (data?.race.status === 'live' ? LIVE_PATIENCE_MS / Math.min(1, data.race.speed_factor) : null),
}

/** Null where the server gave no snapshot. */
export function liveRace(): Live<Snapshot> | null {
  const first = firstSnapshot<Snapshot>()
  if (!first) return null
  return new Live<Snapshot>({ stream: '/api/stream', event: 'state', first, ...NEWS })
}

/** The race in small, by what changes of it; null where the server gave no snapshot. */
export function liveView(view: 'groups' | 'riders'): Live<Small> | null {
  const first = firstSnapshot<Small>()
  if (!first) return null
  return new Live<Small>({ stream: `/api/stream?view=${view}`, event: 'snapshot', first, changes: { event: 'delta', apply: changed }, ...NEWS })
}
