/** Who wears a number: looked up by everyone who shows a rider. */

import { firstSnapshot } from '../parts/live.svelte'
import type { StartList, Starter } from './feed'

/** Riders of the start list by number, as the first HTML brought them; empty where it brought none. */
export function starters(): ReadonlyMap<number, Starter> {
  const list = firstSnapshot<StartList>('startlist')
  return new Map((list?.riders ?? []).map((starter) => [starter.rider, starter]))
}

/** The name and team of a rider as a reader says them, empty for one who is a number. */
export function saidOf(starter: Starter | undefined): string {
  return [starter?.name, starter?.team].filter(Boolean).join(', ')
}
