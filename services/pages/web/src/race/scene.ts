/** The course as a ribbon in space: what of it stands where, and from where it is seen. Heights are exaggerated. */

import { extent, grade, pointAt, type Relief } from './course'
import type { CoursePoint, Group } from './feed'

/** Longitude, latitude, and metres above the ground of the drawing. */
export type Spot = [number, number, number]

const METRES_PER_DEGREE = 111_320
/** The ribbon's height as a share of the course's extent on the map. */
const RELIEF_SHARE = 0.1
const NEAR_EXAGGERATION = 3
const [BEHIND_KM, AHEAD_KM] = [8, 3]
/** The camera turns only where the race rides in quite another direction, not with every bend. */
const TURN_FROM_DEG = 40

export function spot(at: { lat: number; lon: number; ele: number }, relief: Relief): Spot {
  return [at.lon, at.lat, Math.max(0, at.ele - relief.lowest) * relief.exaggeration]
}

/** The wall under the road as upright quadrangles, each with the shade of its gradient. */
export function curtain(points: readonly CoursePoint[], relief: Relief): { outline: Spot[]; grade: number }[] {
  return points.slice(1).map((to, index) => {
    const from = points[index]!
    const [a, b] = [spot(from, relief), spot(to, relief)]
    const run = Math.max(1, (to.km - from.km) * 1000)
    return { outline: [[a[0], a[1], 0], a, b, [b[0], b[1], 0]], grade: grade((to.ele - from.ele) / run) }
  })
}

/** The road from the start to that kilometre. */
export function roadUntil(points: readonly CoursePoint[], km: number, relief: Relief): Spot[] {
  return [...points.filter((point) => point.km < km), pointAt(points, km)].map((point) => spot(point, relief))
}

/** Of the whole course: its lowest point is the ground, and it never towers over its own plan. */
export function wholeRelief(points: readonly CoursePoint[]): Relief {
  const [lowest, highest] = extent(points.map((point) => point.ele))
  const { width, height } = size(boundsOf(points))
  return { lowest, exaggeration: (RELIEF_SHARE * Math.max(width, height)) / Math.max(100, highest - lowest) }
}

/** Around the head: its lowest neighbour, in steps of 100 m so that the ribbon seldom changes its foot, is the ground. */
export function nearRelief(points: readonly CoursePoint[], head: number): Relief {
  const near = points.filter((point) => point.km > head - BEHIND_KM && point.km < head + AHEAD_KM)
  const lowest = Math.floor((extent(near.map((point) => point.ele))[0] - 20) / 100) * 100
  return { lowest, exaggeration: NEAR_EXAGGERATION }
}

export interface Bounds {
  west: number
  south: number
  east: number
  north: number
}

export function boundsOf(places: readonly { lat: number; lon: number }[]): Bounds {
  const [west, east] = extent(places.map((place) => place.lon))
  const [south, north] = extent(places.map((place) => place.lat))
  return { west, south, east, north }
}

function size({ west, south, east, north }: Bounds): { width: number; height: number } {
  return { width: (east - west) * METRES_PER_DEGREE * Math.cos((south * Math.PI) / 180), height: (north - south) * METRES_PER_DEGREE }
}

/** Where the race is: the head, who is near it, and the next kilometres of road. */
export function raceBounds(points: readonly CoursePoint[], groups: readonly Group[]): Bounds {
  const head = groups[0]?.km ?? 0
  const near = groups.filter((group) => head - group.km < BEHIND_KM).map((group) => group.km)
  return boundsOf([...near, head - 1, head + AHEAD_KM].map((km) => pointAt(points, km)))
}

/** The bearing from which the race rides from left to right; the one there was where that is not far off. */
export function sideBearing(points: readonly CoursePoint[], groups: readonly Group[], before: number | null): number {
  const head = groups[0]?.km ?? 0
  const [from, to] = [pointAt(points, head - BEHIND_KM), pointAt(points, head + AHEAD_KM)]
  const east = (to.lon - from.lon) * Math.cos((to.lat * Math.PI) / 180)
  const wanted = (Math.atan2(east, to.lat - from.lat) * 180) / Math.PI - 90
  if (before !== null && Math.abs(turn(before, wanted)) < TURN_FROM_DEG) return before
  return turn(0, wanted)
}

/** The shorter way round from one bearing to another, −180 to 180. */
function turn(from: number, to: number): number {
  return ((((to - from + 180) % 360) + 360) % 360) - 180
}

/** Lines of a grid of `km`, so that the ground is seen to be ground. */
export function grid(bounds: Bounds, km: number): [number, number][][] {
  const north = (km * 1000) / METRES_PER_DEGREE
  const east = north / Math.cos((((bounds.south + bounds.north) / 2) * Math.PI) / 180)
  const reach = { west: bounds.west - 6 * east, east: bounds.east + 6 * east, south: bounds.south - 6 * north, north: bounds.north + 6 * north }
  const between = (from: number, to: number, step: number) => Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step)
  return [
    ...between(reach.west, reach.east, east).map((lon): [number, number][] => [[lon, reach.south], [lon, reach.north]]),
    ...between(reach.south, reach.north, north).map((lat): [number, number][] => [[reach.west, lat], [reach.east, lat]]),
  ]
}
