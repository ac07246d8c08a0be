/** Search over all that has an address on the page. */

import { decimal } from '../parts/format'
import type { Found } from '../parts/Search.svelte'
import { climbName } from './course'
import type { Course, Snapshot } from './feed'

/** Matches, those first whose title begins with the words. */
export function find(words: string, snapshot: Snapshot, course: Course): Found[] {
  const wanted = words.toLowerCase()
  const groups = new Map(snapshot.groups.map((group) => [group.id, group.name]))
  const everything: Found[] = [
    ...snapshot.groups.map((group) => ({ kind: 'group', id: group.id, title: group.name, detail: `${group.size} riders` })),
    ...snapshot.riders.map((rider) => ({ kind: 'rider', id: rider.rider, title: `No. ${rider.rider}`, detail: groups.get(rider.group) ?? '' })),
    ...course.climbs.map((climb, index) => ({ kind: 'climb', id: index + 1, title: climbName(climb, index), detail: `km ${decimal(climb.from_km)}` })),
  ]
  const place = (found: Found) => {
    const at = found.title.toLowerCase().replace('no. ', '').indexOf(wanted.replace(/^no\.?\s*/, ''))
    return at < 0 ? Infinity : at
  }
  return everything.filter((found) => place(found) < Infinity).sort((a, b) => place(a) - place(b))
}
