import { expect, test } from 'vitest'
import type { Forecast } from './feed'
import { curve, historyOf, percent } from './forecasts'

const forecast = (clock_ms: number, probability: number | null): Forecast => ({
  clock_ms, km_to_go: 50, winner: [], finish: null, model: 'made up', simulated: true,
  catch: probability === null ? null : { probability, at_km_to_go: null, in_s: null, baselines: { base_rate: null, chapatte: null } },
})

test('what is nearly sure is not said to be sure', () => {
  expect([0, 0.004, 0.62, 0.996, 1, null].map(percent)).toEqual(['0 %', '<1 %', '62 %', '>99 %', '100 %', '–'])
})

test('a curve is broken where nobody was ahead', () => {
  const told = [forecast(0, 0), forecast(1, 1), forecast(2, null), forecast(3, 1)]
  expect(curve(told, (one) => one.catch?.probability, (ms) => ms, (value) => value)).toBe('M0.0 0.0L1.0 1.0M3.0 1.0')
})

test('a forecast that is already in the history is not drawn twice', () => {
  const told = [forecast(2, 0.6), forecast(1, 0.5)]
  const moments = (newest: Forecast | null) => historyOf(told, newest).map((one) => one.clock_ms)
  expect(moments(forecast(2, 0.6))).toEqual([1, 2])
  expect(moments(forecast(3, 0.7))).toEqual([1, 2, 3])
  expect(moments(null)).toEqual([1, 2])
})
