/** Riders that this reader follows; kept by the browser until they are let go. */

import { SvelteSet } from 'svelte/reactivity'

const STORE = 'etape-pinned-riders'

function kept(): number[] {
  try {
    const numbers: unknown = JSON.parse(localStorage.getItem(STORE) ?? '[]')
    return Array.isArray(numbers) ? numbers.filter(Number.isInteger) : []
  } catch {
    return [] // a reader whose browser keeps nothing can still pin for as long as the page is open
  }
}

export const pins = new SvelteSet<number>(kept())

export function togglePin(rider: number): void {
  if (!pins.delete(rider)) pins.add(rider)
  try {
    localStorage.setItem(STORE, JSON.stringify([...pins]))
  } catch {
    return
  }
}
