/** When a rider was last seen, in words: a position that was worked out is never shown as one that was received. */

import { duration, UNKNOWN } from '../parts/format'
import type { Rider } from './feed'

const FINISHED = 3

export function seen(rider: Rider, clockMs: number | null): string {
  if (rider.quality === FINISHED) return 'finished'
  if (clockMs === null) return UNKNOWN
  const seconds = Math.max(0, (clockMs - rider.seen_ms) / 1000)
  return seconds < 2 ? 'now' : `${duration(seconds)} ago`
}
