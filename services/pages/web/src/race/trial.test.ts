import { expect, test } from 'vitest'
import { clocked, signed } from './trial'

test('times against the clock are told to the tenth, and never as 60 seconds', () => {
  expect([0, 59.96, 967.44, null].map(clocked)).toEqual(['0:00.0', '1:00.0', '16:07.4', '–'])
})

test('who is ahead of the best time has a minus', () => {
  expect([-3.21, 0, 12.5, 75, null].map(signed)).toEqual(['−3.2', '+0.0', '+12.5', '+1:15.0', '–'])
})
