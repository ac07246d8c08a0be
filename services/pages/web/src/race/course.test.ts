import { expect, test } from 'vitest'
import { grade, pointAt, reliefFor, Ribbon, stretches, viewOf } from './course'
import type { CoursePoint } from './feed'

const points: CoursePoint[] = Array.from({ length: 101 }, (_, index) => ({
  km: index / 10, lat: 45 + index / 1000, lon: 5, ele: 200 + Math.max(0, index - 50) * 8, gradient: index > 50 ? 0.08 : 0,
}))

test('a kilometre between two points lies between them, one beyond the finish at the finish', () => {
  expect(pointAt(points, 7.55).ele).toBeCloseTo(404)
  expect(pointAt(points, 99).km).toBe(10)
  expect(pointAt(points, -1).km).toBe(0)
})

test('steeper is never a lighter shade', () => {
  expect([-0.05, 0, 0.02, 0.04, 0.06, 0.08, 0.12].map(grade)).toEqual([0, 0, 1, 2, 3, 4, 5])
})

test('stretches cover the course without a hole', () => {
  const found = stretches(points, 1)
  expect(found.at(0)!.points.at(0)).toBe(points[0])
  expect(found.at(-1)!.points.at(-1)).toBe(points[100])
  for (const [index, next] of found.slice(1).entries()) expect(next.points[0]).toBe(found[index]!.points.at(-1))
  expect(new Set(found.map((one) => one.grade))).toEqual(new Set([0, 4]))
})

test('north is up and height is drawn upwards', () => {
  const ribbon = new Ribbon(points, reliefFor(points, 900, 500))
  expect(ribbon.ground(points[100]!).y).toBeLessThan(ribbon.ground(points[0]!).y)
  expect(ribbon.top(points[100]!).y).toBeLessThan(ribbon.ground(points[100]!).y)
})

test('a view shows all places inside its margins', () => {
  const margin = { left: 10, right: 30, top: 20, bottom: 40 }
  const view = viewOf([{ x: 0, y: 0 }, { x: 1000, y: 500 }], 440, 200, margin)
  const onScreen = (x: number, y: number) => [220 + (x - view.x) * view.scale, 100 + (y - view.y) * view.scale]
  expect(onScreen(0, 0)[0]).toBeGreaterThanOrEqual(10)
  expect(onScreen(1000, 500)[0]).toBeLessThanOrEqual(410)
  expect(onScreen(0, 0)[1]).toBeGreaterThanOrEqual(20 - 1e-9)
  expect(onScreen(1000, 500)[1]).toBeLessThanOrEqual(160 + 1e-9)
})
