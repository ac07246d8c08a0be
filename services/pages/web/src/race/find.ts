/** Search over all that has an address on the page. */

import { decimal } from '../parts/format'
import type { Found } from '../parts/Search.svelte'
import { climbName, sprintName } from './course'
import { keyOf } from './groups'
import type { Course, Snapshot, Starter } from './feed'
import { saidOf } from './startlist'

/** Matches, those first whose title begins with the words. */
export function find(words: string, snapshot: Snapshot, course: Course, starters: ReadonlyMap<number, Starter>): Found[] {
  const wanted = words.toLowerCase()
  const groups = new Map(snapshot.groups.map((group) => [group.id, group.name]))
  const everything: Found[] = [
    ...snapshot.groups.map((group) => ({ kind: 'group', id: keyOf(group), title: group.name, detail: `${group.size} riders` })),
    ...snapshot.riders.map((rider) => ({ kind: 'rider', id: rider.rider, title: `No. ${rider.rider} ${saidOf(starters.get(rider.rider))}`.trim(), detail: groups.get(rider.group) ?? '' })),
    ...course.climbs.map((climb, index) => ({ kind: 'climb', id: index + 1, title: climbName(climb, index), detail: `km ${decimal(climb.from_km)}` })),
  ]
  const sprints = (course.sprints ?? []).map((sprint, index) => ({ kind: 'sprint', id: index + 1, title: sprintName(sprint, index), detail: `km ${decimal(sprint.km)}` }))
  const place = (found: Found) => {
    const at = found.title.toLowerCase().replace('no. ', '').indexOf(wanted.replace(/^no\.?\s*/, ''))
    return at < 0 ? Infinity : at
  }
  return [...everything, ...sprints].filter((found) => place(found) < Infinity).sort((a, b) => place(a) - place(b))
}
