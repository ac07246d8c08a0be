import { expect, test } from 'vitest'
import { rowsByGroup } from './commentary'
import type { Snapshot } from './feed'

test('every rider stands in one row: with his group, or behind all groups', () => {
  const rider = (number: number, position: number, group: number) => ({ rider: number, position, group })
  const snapshot = { groups: [{ id: 1 }, { id: 2 }], riders: [rider(3, 3, 2), rider(1, 1, 1), rider(9, 4, 0), rider(2, 2, 2)] } as unknown as Snapshot
  expect(rowsByGroup(snapshot).map((body) => [body.group?.id ?? null, body.riders.map((one) => one.rider)])).toEqual([[1, [1]], [2, [2, 3]], [null, [9]]])
})
