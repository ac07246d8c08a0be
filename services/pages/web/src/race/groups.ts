/** How groups and riders are put on a screen: sizes, scales, order, and labels that leave each other room. */

import { duration, UNKNOWN } from '../parts/format'
import type { Place } from './course'
import type { Group, OnRoad, PlacedRider, Rider, Snapshot, Starter } from './feed'
import { saidOf } from './startlist'

/** What a group is called in addresses and as it moves: its identity, or its place where it has none. */
export function keyOf(group: Pick<Group, 'id' | 'group_id'>): string {
  return group.group_id === null ? `road-${group.id}` : String(group.group_id)
}

/** Radius of a group's disc: its area follows the number of riders. */
export function discRadius(size: number, unit: number): number {
  return 3 + unit * Math.sqrt(size)
}

/** Which of three looks a group has: the head wears the leader's yellow, the peloton is plain, the rest is quiet. */
export function look(group: OnRoad, groups: readonly OnRoad[]): 'head' | 'peloton' | 'other' {
  if (group === groups[0]) return 'head'
  return group === peloton(groups) ? 'peloton' : 'other'
}

const NAMED_FROM = 5

/** Groups that a picture of the whole course names: a rider alone behind the race is a dot there. */
export function named<G extends OnRoad>(groups: readonly G[], selected: string | null): G[] {
  const main = groups.findIndex((group) => group === peloton(groups))
  return byImportance(groups, selected).filter(
    (group) => keyOf(group) === selected || group.size >= NAMED_FROM || groups.indexOf(group) <= main,
  )
}

/** Discs in the order in which they are drawn: small ones over large ones, the head over all. */
export function drawn<D extends { group: OnRoad; radius: number }>(discs: readonly D[], groups: readonly OnRoad[]): D[] {
  return [...discs].sort((a, b) => Number(a.group === groups[0]) - Number(b.group === groups[0]) || b.radius - a.radius)
}

/** The largest group; the first of them where two are equal. */
export function peloton<G extends OnRoad>(groups: readonly G[]): G | undefined {
  return groups.reduce<G | undefined>((most, group) => (!most || group.size > most.size ? group : most), undefined)
}

/** Groups in the order in which they deserve a label: selected, head, peloton, then down the road. */
export function byImportance<G extends OnRoad>(groups: readonly G[], selected: string | null): G[] {
  const largest = peloton(groups)
  const rank = (group: G, index: number) => (keyOf(group) === selected ? 0 : index === 0 ? 1 : group === largest ? 2 : 3 + index)
  return groups
    .map((group, index) => ({ group, rank: rank(group, index) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ group }) => group)
}

/** Riders that can be drawn on a map or a profile. */
export function placed(riders: readonly Rider[]): PlacedRider[] {
  return riders.filter((rider): rider is PlacedRider => rider.km !== null && rider.lat !== null && rider.lon !== null)
}

/** The road between two groups: from the last rider in front to the first behind, or what is known of it from head to head. */
export interface Between {
  seconds: number | null
  metres: number | null
}

/** Before each group (null before the head): the empty road in front of it. */
export function gapsBetween(groups: readonly Group[], riders: readonly Rider[]): (Between | null)[] {
  const km = new Map(riders.map((rider) => [rider.rider, rider.km]))
  return groups.map((group, index) => {
    const front = groups[index - 1]
    if (!front) return null
    const last = km.get(front.riders.at(-1) ?? 0) ?? null
    return {
      seconds: group.tail_gap_s ?? group.gap_to_previous_s,
      metres: last === null ? null : Math.max(0, (last - group.km) * 1000),
    }
  })
}

const GAP_SCALES = [4, 2, 1, 0.5, 0.25, 0.1, 0.05, 0.02]
const LONGEST_GAP_PX = 132

/** Pixels a second, the same for all gaps, so that the longest of them still fits. */
export function gapScale(gaps: readonly (Between | null)[]): number {
  const longest = Math.max(0, ...gaps.map((gap) => gap?.seconds ?? 0))
  return GAP_SCALES.find((scale) => longest * scale <= LONGEST_GAP_PX) ?? GAP_SCALES.at(-1)!
}

/** The round time whose bar stands beside the gaps as their scale: its seconds and its pixels. */
export function scaleBar(scale: number): { seconds: number; pixels: number } {
  const seconds = [10, 30, 60, 120, 300, 600, 1800].find((time) => time * scale >= 24) ?? 1800
  return { seconds, pixels: seconds * scale }
}

/** A gap on the holder of the yellow jersey: −1:20 in front of him, +0:45 behind him. */
export function aheadOrBehind(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return UNKNOWN
  return `${seconds < 0 ? '−' : '+'}${duration(Math.abs(seconds))}`
}

export type Column = 'position' | 'rider' | 'group' | 'gap_s' | 'to_go_km' | 'speed_kmh' | 'gradient' | 'power_w' | 'virtual_rank' | 'seen_ms'

/** Riders as the table shows them: pinned first, then by the column; equal ones by position, unknown values last. */
export function arrange(riders: readonly Rider[], column: Column, falling: boolean, pinned: ReadonlySet<number>): Rider[] {
  const direction = falling ? -1 : 1
  return [...riders].sort((a, b) => {
    const pins = Number(pinned.has(b.rider)) - Number(pinned.has(a.rider))
    if (pins) return pins
    const [left, right] = [a[column], b[column]]
    if (left === null || right === null) return Number(left === null) - Number(right === null) || a.position - b.position
    return (left - right) * direction || a.position - b.position
  })
}

/** Riders whose number begins with the words, or whose group, name or team has them. */
export function matching(snapshot: Snapshot, words: string, starters: ReadonlyMap<number, Starter> = new Map()): Rider[] {
  const wanted = words.trim().toLowerCase().replace(/^no\.?\s*/, '')
  if (!wanted) return snapshot.riders
  const groups = new Set(snapshot.groups.filter((group) => group.name.toLowerCase().includes(wanted)).map((group) => group.id))
  const said = (rider: Rider) => saidOf(starters.get(rider.rider)).toLowerCase().includes(wanted)
  return snapshot.riders.filter((rider) => String(rider.rider).startsWith(wanted) || groups.has(rider.group) || said(rider))
}

const [LABEL_ROWS, LABEL_PITCH] = [5, -18]

export type Disc = Place & { group: OnRoad; radius: number }

/** Labels over the discs of these groups, the first of them lowest; those that find no room are left out. */
export function labelsOver(groups: readonly OnRoad[], discs: readonly Disc[]): (Place & { group: OnRoad; foot: Place })[] {
  const lowest = groups.flatMap((group) => {
    const disc = discs.find((one) => one.group === group)
    if (!disc) return []
    const { x, y, radius } = disc
    return [{ group, x, foot: { x, y }, y: y - radius - 14, width: group.name.length * 7 + 44 }]
  })
  const free = rows(lowest, LABEL_ROWS, LABEL_PITCH)
  return lowest.flatMap((label, index) => (free[index] === null ? [] : [{ ...label, y: label.y + free[index]! * LABEL_PITCH }]))
}

interface Label {
  /** Middle of the label in its first row, in pixels. */
  x: number
  y: number
  width: number
}

/**
 * How many rows each label has to move (by `pitch` pixels each, so up where it is negative) to lie on no other,
 * in the order of their importance; null for those that find no room within `count` rows.
 */
export function rows(labels: readonly Label[], count: number, pitch: number): (number | null)[] {
  const taken: Label[] = []
  return labels.map((label) => {
    for (let row = 0; row < count; row++) {
      const moved = { ...label, y: label.y + row * pitch }
      if (taken.some((other) => overlap(other, moved, Math.abs(pitch)))) continue
      taken.push(moved)
      return row
    }
    return null
  })
}

function overlap(a: Label, b: Label, height: number): boolean {
  return Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < height
}
