/** A small page keeps what it was told, and takes in what changes. */

import type { Change, Small } from './feed'

/** The next second; null where the change follows another one than this. */
export function changed(before: Small, change: Change): Small | null {
  if (change.since_ms !== before.race.clock_ms) return null
  return {
    race: { ...before.race, ...change.race },
    groups: records(before.groups, change.groups, change.groups_order, (group) => group.id),
    riders: records(before.riders, change.riders, change.riders_order, (rider) => rider.rider),
  }
}

function records<R>(before: readonly R[], told: readonly Partial<R>[] = [], order: readonly number[] | undefined, key: (record: R) => number): R[] {
  const known = new Map(before.map((record) => [key(record), record]))
  for (const part of told as readonly R[]) known.set(key(part), { ...known.get(key(part)), ...part })
  return (order ?? before.map(key)).map((number) => known.get(number)!)
}
