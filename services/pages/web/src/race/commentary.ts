/** The race as a table, group by group. */

import type { Group, Rider, Snapshot } from './feed'

export interface Body {
  /** Null for the riders of whom no group is known. */
  group: Group | null
  riders: Rider[]
}

/** Groups in road order, each with its riders in race order; behind them those who are in none. */
export function rowsByGroup(snapshot: Snapshot): Body[] {
  const inOrder = [...snapshot.riders].sort((a, b) => a.position - b.position)
  const known = new Set(snapshot.groups.map((group) => group.id))
  const bodies: Body[] = snapshot.groups.map((group) => ({ group, riders: inOrder.filter((rider) => rider.group === group.id) }))
  const alone = inOrder.filter((rider) => !known.has(rider.group))
  return alone.length ? [...bodies, { group: null, riders: alone }] : bodies
}
