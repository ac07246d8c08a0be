import { expect, test } from 'vitest'
import { windOf } from './wind'

test('a head wind blows into his face, a tail wind with him, one from the left to the right', () => {
  expect(windOf(10, 0)).toMatchObject({ towards: 180, along: 'head', kmh: 10 })
  expect(windOf(-10, 0)).toMatchObject({ towards: 0, along: 'tail' })
  expect(windOf(0, 10)).toMatchObject({ towards: 90, across: 'from the left' })
  expect(windOf(0, -10)).toMatchObject({ towards: 270, across: 'from the right' })
})

test('a wind of which a part is not known is not known', () => {
  expect([windOf(null, 3), windOf(3, undefined)]).toEqual([null, null])
})
