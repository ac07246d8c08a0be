import { expect, test } from 'vitest'
import { changed } from './changes'
import type { Small } from './feed'

const race = { edition: 2017, stage: 9, start: 'A', finish: 'B', race_start: '', clock_ms: 1000, speed_factor: 1, status: 'live', simulated: true } as const
const group = (id: number, name: string) => ({ id, group_id: id + 10, name, size: 5, km: 80, to_go_km: 100, gap_s: id * 30 })
const before: Small = { race, groups: [group(1, 'Breakaway'), group(2, 'Peloton')], riders: [] }

test('what changed is taken in, and the rest stays', () => {
  const after = changed(before, { since_ms: 1000, race: { clock_ms: 2000 }, groups: [{ id: 2, gap_s: 61 }] })
  expect(after?.race.clock_ms).toBe(2000)
  expect(after?.groups).toEqual([before.groups[0], { ...before.groups[1], gap_s: 61 }])
})

test('groups come, go and change places', () => {
  const came = { ...group(3, 'Chase 1'), gap_s: 12 }
  const after = changed(before, { since_ms: 1000, groups: [came], groups_order: [3, 1] })
  expect(after?.groups.map(({ name }) => name)).toEqual(['Chase 1', 'Breakaway'])
})

test('a change of another second is refused', () => {
  expect(changed(before, { since_ms: 0, race: {} })).toBeNull()
})
