import { expect, test } from 'vitest'
import { decimal, duration, gradient, metres, timeOfDay, zoneName, zoneOffset } from './format'

test('what is not known is a dash and never a zero', () => {
  expect([decimal(null), duration(undefined), gradient(Number.NaN), metres(null)]).toEqual(['–', '–', '–', '– m'])
})

test('gaps are minutes and seconds until they reach an hour', () => {
  expect([0, 59.6, 61, 3599, 3661].map(duration)).toEqual(['0:00', '1:00', '1:01', '59:59', '1:01:01'])
})

test('a road that falls has a minus sign, a flat one has none', () => {
  expect([gradient(-0.052), gradient(-0.0001), gradient(0.081)]).toEqual(['−5.2', '0.0', '8.1'])
})

test('metres become kilometres where nobody counts metres any more', () => {
  expect([metres(842.4), metres(9999), metres(12_340)]).toEqual(['842 m', '9999 m', '12.3 km'])
})

test('a race clock keeps the zone of its town wherever it is read', () => {
  const offset = zoneOffset('2017-07-09T14:32:05+02:00')
  expect(offset).toBe(120)
  expect(timeOfDay(new Date('2017-07-09T12:32:05Z'), offset ?? 0)).toBe('14:32:05')
  expect([zoneName(0), zoneName(120), zoneName(-330)]).toEqual(['UTC', 'UTC+2', 'UTC−5:30'])
})
