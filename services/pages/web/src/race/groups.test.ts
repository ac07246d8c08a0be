import { expect, test } from 'vitest'
import type { Group, Rider, Snapshot } from './feed'
import { arrange, byImportance, gapsBetween, gapScale, keyOf, look, matching, named, rows, scaleBar } from './groups'

const group = (id: number, name: string, size: number, gap: number | null = null): Group => ({
  id, group_id: id, name, size, riders: [], km: 100, to_go_km: 80, gap_s: gap, gap_m: null, gap_to_previous_s: gap, tail_gap_s: gap,
  length_s: null, speed_kmh: 40, since: null, jerseys: [],
})
const rider = (number: number, position: number, gap: number | null, group = 1): Rider => ({
  rider: number, position, gap_s: gap, group, km: 1, to_go_km: 1, lat: 0, lon: 0, speed_kmh: 40, gradient: 0, gap_m: null, seen_ms: 0, quality: 0,
}) as Rider
const groups = [group(1, 'Breakaway', 5), group(2, 'Chase 1', 3, 30), group(3, 'Peloton', 150, 240), group(4, 'Dropped 1', 9, 60)]

test('the head is yellow even where it is the largest group', () => {
  expect(groups.map((one) => look(one, groups))).toEqual(['head', 'other', 'peloton', 'other'])
  expect(look(groups[2]!, [groups[2]!])).toBe('head')
})

test('a group without an identity is known by its place, and no two are the same', () => {
  expect(['12', 'road-2']).toEqual([group(12, 'Breakaway', 5), { ...group(2, 'Peloton', 9), group_id: null }].map(keyOf))
})

test('what a reader selected is labelled before all else', () => {
  expect(byImportance(groups, '4').map((one) => one.id)).toEqual([4, 1, 3, 2])
})

test('a rider alone behind the race has no label unless he was chosen, one ahead of it has', () => {
  const alone = [group(1, 'Breakaway', 1), group(2, 'Peloton', 150), group(3, 'Dropped 1', 1), group(4, 'Dropped 2', 9)]
  expect(named(alone, null).map((one) => one.id)).toEqual([1, 2, 4])
  expect(named(alone, '3').map((one) => one.id)).toEqual([3, 1, 2, 4])
})

test('one scale serves all gaps and the longest still fits', () => {
  expect(gapScale(gapsBetween(groups, [])) * 240).toBeLessThanOrEqual(132)
  expect(gapScale(gapsBetween([group(1, 'Peloton', 198)], []))).toBe(4)
  expect(scaleBar(0.5)).toEqual({ seconds: 60, pixels: 30 })
})

test('the road between two groups begins behind the last rider in front', () => {
  const [front, behind] = [{ ...group(1, 'Breakaway', 2), riders: [11, 12] }, { ...group(2, 'Peloton', 9, 50), km: 98, tail_gap_s: 42 }]
  const riders = [{ ...rider(11, 1, 0), km: 100 }, { ...rider(12, 2, 1), km: 99.5 }]
  expect(gapsBetween([front, behind], riders)).toEqual([null, { seconds: 42, metres: 1500 }])
  expect(gapsBetween([front, { ...behind, tail_gap_s: null }], [])[1]).toEqual({ seconds: 50, metres: null })
})

test('pinned riders stay on top and unknown gaps at the end, whichever way the table is sorted', () => {
  const riders = [rider(11, 1, 0), rider(12, 2, null), rider(13, 3, 20), rider(14, 4, 40)]
  const order = (falling: boolean) => arrange(riders, 'gap_s', falling, new Set([13])).map((one) => one.rider)
  expect(order(false)).toEqual([13, 11, 14, 12])
  expect(order(true)).toEqual([13, 14, 11, 12])
})

test('riders are found by number or by the name of their group', () => {
  const snapshot = { groups, riders: [rider(11, 1, 0, 1), rider(110, 2, 0, 3), rider(21, 3, 0, 3)] } as unknown as Snapshot
  const found = (words: string) => matching(snapshot, words).map((one) => one.rider)
  expect([found('11'), found('No. 21'), found('pelo'), found('xyz')]).toEqual([[11, 110], [21], [110, 21], []])
})

test('labels take the next row where they would lie on another, and give way where there is none', () => {
  const label = (x: number, y = 50) => ({ x, y, width: 40 })
  expect(rows([label(100), label(110), label(150), label(115)], 2, 18)).toEqual([0, 1, 0, null])
  expect(rows([label(100, 50), label(100, 60), label(100, 200)], 3, -18)).toEqual([0, 2, 0])
})
