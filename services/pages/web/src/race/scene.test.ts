import { expect, test } from 'vitest'
import type { CoursePoint, Group } from './feed'
import { boundsOf, curtain, nearRelief, raceBounds, roadUntil, sideBearing, wholeRelief } from './scene'

/** A road to the north that climbs in its second half. */
const points: CoursePoint[] = Array.from({ length: 201 }, (_, index) => ({
  km: index / 10, lat: 45 + index / 1000, lon: 5, ele: 200 + Math.max(0, index - 100) * 8, gradient: index > 100 ? 0.08 : 0,
}))
const at = (km: number) => ({ km }) as Group

test('the wall follows the road without a hole and is darker where it is steep', () => {
  const wall = curtain(points, wholeRelief(points))
  expect(wall).toHaveLength(200)
  for (const [index, quad] of wall.slice(1).entries()) expect(quad.outline[1]).toEqual(wall[index]!.outline[2])
  expect([wall[10]!.grade, wall[150]!.grade]).toEqual([0, 4])
})

test('the ribbon stands on the ground and does not tower over its own plan', () => {
  const relief = wholeRelief(points)
  expect(relief.lowest).toBe(200)
  expect(relief.exaggeration * 800).toBeCloseTo(0.1 * 0.2 * 111_320, -1)
})

test('near the head the ground is below everyone who is seen', () => {
  const relief = nearRelief(points, 15)
  expect(relief.lowest).toBeLessThan(200)
  expect(nearRelief(points, 19.9).lowest).toBe(300)
})

test('what was ridden ends at the head', () => {
  expect(roadUntil(points, 5.05, wholeRelief(points)).at(-1)![1]).toBeCloseTo(45.0505)
})

test('the camera holds the head, who is near it, and the road ahead; not the last of the race', () => {
  const { south, north } = raceBounds(points, [at(15), at(12), at(2)])
  expect([south, north]).toEqual([expect.closeTo(45.12), expect.closeTo(45.18)])
  expect(boundsOf(points).west).toBe(5)
})

test('the race rides from left to right, and a bend does not turn the camera', () => {
  expect(sideBearing(points, [at(15)], null)).toBeCloseTo(-90)
  expect(sideBearing(points, [at(15)], -70)).toBe(-70)
  expect(sideBearing(points, [at(15)], 90)).toBeCloseTo(-90)
})
