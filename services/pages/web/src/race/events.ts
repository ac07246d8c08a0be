/** What happens in a race, as marks that differ in shape and in word. */

import type { RaceEvent } from './feed'

export interface Look {
  word: string
  /** A drawing in a square of 12 by 12 around its middle. */
  shape: string
  /** Whether the shape is an outline, as what parts and joins is. */
  open?: boolean
}

const LOOKS: Record<RaceEvent['kind'], Look> = {
  attack: { word: 'Attack', shape: 'M0 -5 5 4H-5Z' },
  split: { word: 'Split', shape: 'M-5 0H-1L4 -4M-1 0 4 4', open: true },
  merge: { word: 'Merge', shape: 'M5 0H1L-4 -4M1 0-4 4', open: true },
  catch: { word: 'Catch', shape: 'M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z' },
  finish: { word: 'Finish', shape: 'M-4 -5H5V1H-2V6H-4Z' },
  withdrawal: { word: 'Withdrawal', shape: 'M-4 -4 4 4M4 -4-4 4', open: true },
  bike_change: { word: 'Bike change', shape: 'M-6 2A2.5 2.5 0 1 0 -1 2A2.5 2.5 0 1 0 -6 2M1 2A2.5 2.5 0 1 0 6 2A2.5 2.5 0 1 0 1 2M-3.5 2 0 -4 3.5 2', open: true },
  best_time: { word: 'Best time', shape: 'M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0M0 -3V0H3', open: true },
  caught: { word: 'Caught', shape: 'M-5 -4 1 0-5 4M0 -4 6 0 0 4', open: true },
  jersey: { word: 'Jersey', shape: 'M0 -5 5 0 0 5-5 0Z' },
}

export function lookOf(event: RaceEvent): Look {
  return LOOKS[event.kind] ?? { word: event.kind, shape: 'M-4 -4H4V4H-4Z' }
}

/** All that happened, oldest first and once, whoever told it. */
export function merged(...sources: readonly (readonly RaceEvent[])[]): RaceEvent[] {
  const events = new Map(sources.flat().map((event) => [`${event.time_ms} ${event.kind} ${event.group_id} ${event.riders.join()}`, event]))
  return [...events.values()].sort((a, b) => a.time_ms - b.time_ms)
}
