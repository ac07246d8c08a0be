import { expect, test } from 'vitest'
import { lookOf, merged } from './events'
import type { RaceEvent } from './feed'

const event = (time_ms: number, kind: RaceEvent['kind'], group_id = 1): RaceEvent => ({
  time_ms, kind, group_id, other_group_id: null, riders: [], km_to_go: 50, text: '',
})

test('what two sources tell stands once, in the order in which it happened', () => {
  const told = merged([event(1, 'attack'), event(3, 'catch')], [event(3, 'catch'), event(2, 'split'), event(2, 'split', 2)])
  expect(told.map((one) => `${one.time_ms} ${one.kind} ${one.group_id}`)).toEqual(['1 attack 1', '2 split 1', '2 split 2', '3 catch 1'])
})

test('no two kinds have the same shape, and one that is not known has a mark of its own', () => {
  const kinds: RaceEvent['kind'][] = ['attack', 'split', 'merge', 'catch', 'finish', 'withdrawal', 'jersey', 'bike_change', 'best_time', 'caught']
  expect(new Set([...kinds, 'news' as RaceEvent['kind']].map((kind) => lookOf(event(0, kind)).shape)).size).toBe(11)
})
