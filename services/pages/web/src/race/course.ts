/** Geometry of the course: where a kilometre is, how steep, and the same road as a ribbon seen from the south. */

import type { Climb, CoursePoint, Sprint } from './feed'

const GRADE_FROM = [0.01, 0.03, 0.05, 0.07, 0.09]
const METRES_PER_DEGREE = 111_320
/** Cosine of the angle from which the plan is seen: 1 is from straight above. */
const TILT = 0.62

/** Shade of a gradient, 0 (flat or falling) to 5 (9 % and more). */
export function grade(gradient: number): number {
  return GRADE_FROM.filter((from) => gradient >= from).length
}

/** The point of the course at that kilometre, between its two neighbours; clamped to start and finish. */
export function pointAt(points: readonly CoursePoint[], km: number): CoursePoint {
  let [low, high] = [0, points.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (points[middle]!.km <= km) low = middle
    else high = middle
  }
  const [a, b] = [points[low]!, points[high]!]
  const share = b.km > a.km ? Math.min(1, Math.max(0, (km - a.km) / (b.km - a.km))) : 0
  const mix = (from: number, to: number) => from + (to - from) * share
  return { km: mix(a.km, b.km), lat: mix(a.lat, b.lat), lon: mix(a.lon, b.lon), ele: mix(a.ele, b.ele), gradient: a.gradient }
}

export interface Stretch {
  points: CoursePoint[]
  grade: number
}

/** The course in stretches of at least `km`, each with the shade of its mean gradient; neighbours share their end. */
export function stretches(points: readonly CoursePoint[], km: number): Stretch[] {
  const found: Stretch[] = []
  let first = 0
  for (let last = 1; last < points.length; last++) {
    const run = points[last]!.km - points[first]!.km
    if (run < km && last < points.length - 1) continue
    const rise = points[last]!.ele - points[first]!.ele
    found.push({ points: points.slice(first, last + 1), grade: grade(rise / Math.max(1, run * 1000)) })
    first = last
  }
  return found
}

export interface Place {
  x: number
  y: number
}

/** How heights are drawn: above which elevation (m), and how many times as high as they are. */
export interface Relief {
  lowest: number
  exaggeration: number
}

/** The relief that lets these points fill a box of that size together with their plan, without towering over it. */
export function reliefFor(points: readonly CoursePoint[], width: number, height: number): Relief {
  const [lowest, highest] = extent(points.map((point) => point.ele))
  const flat = new Ribbon(points, { lowest, exaggeration: 0 })
  const ground = points.map((point) => flat.ground(point))
  const { scale } = viewOf(ground, width, height, { left: 0, right: 0, top: 0, bottom: 0 })
  const [up, down] = extent(ground.map((place) => place.y))
  const room = height - (down - up) * scale
  const pixels = Math.min(0.5 * height, Math.max(0.12 * height, 0.7 * room))
  return { lowest, exaggeration: pixels / scale / Math.max(100, highest - lowest) }
}

/** Projects places to a plane in metres, east and down, with heights drawn upwards as seen from the south. */
export class Ribbon {
  readonly #lat: number
  readonly #lon: number
  readonly #east: number

  constructor(
    points: readonly CoursePoint[],
    readonly relief: Relief,
  ) {
    const [south, north] = extent(points.map((point) => point.lat))
    const [west, east] = extent(points.map((point) => point.lon))
    this.#lat = (south + north) / 2
    this.#lon = (west + east) / 2
    this.#east = METRES_PER_DEGREE * Math.cos((this.#lat * Math.PI) / 180)
  }

  ground(at: { lat: number; lon: number }): Place {
    return { x: (at.lon - this.#lon) * this.#east, y: (this.#lat - at.lat) * METRES_PER_DEGREE * TILT }
  }

  top(at: { lat: number; lon: number; ele: number }): Place {
    const { x, y } = this.ground(at)
    return { x, y: y - Math.max(0, at.ele - this.relief.lowest) * this.relief.exaggeration }
  }
}

/** A part of the plane, as its centre and how many pixels a metre has. */
export interface View {
  x: number
  y: number
  scale: number
}

/** The view that shows all places in a box of that size, with a margin on every side. */
export function viewOf(places: readonly Place[], width: number, height: number, margin: Margin, largest = 1): View {
  const [left, right] = extent(places.map((place) => place.x))
  const [up, down] = extent(places.map((place) => place.y))
  const [free, tall] = [width - margin.left - margin.right, height - margin.top - margin.bottom]
  const scale = Math.min(largest, Math.max(1, free) / Math.max(1, right - left), Math.max(1, tall) / Math.max(1, down - up))
  return {
    x: (left + right) / 2 + (margin.right - margin.left) / 2 / scale,
    y: (up + down) / 2 + (margin.bottom - margin.top) / 2 / scale,
    scale,
  }
}

export interface Margin {
  left: number
  right: number
  top: number
  bottom: number
}

/** A climb's name, or its number along the road where it has none. */
export function climbName(climb: Climb, index: number): string {
  return climb.name ?? `Climb ${index + 1}`
}

/** A sprint's name, or its number along the road where it has none. */
export function sprintName(sprint: Sprint, index: number): string {
  return sprint.name || `Sprint ${index + 1}`
}

/** Lines east and down that part the ground of the ribbon into squares of `km`, `reach` km around its middle. */
export function squares(km: number, reach: number): string {
  const far = reach * 1000
  const lines = Array.from({ length: 2 * Math.floor(reach / km) + 1 }, (_, index) => (index - Math.floor(reach / km)) * km * 1000)
  return lines.map((at) => `M${at} ${-far}V${far}M${-far} ${at * TILT}H${far}`).join('')
}

/** Smallest and largest of the values. */
export function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity])
}

/** A path through places, `M x y L x y …`, rounded to a tenth. */
export function path(places: readonly Place[]): string {
  return places.map(({ x, y }, index) => `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
}
