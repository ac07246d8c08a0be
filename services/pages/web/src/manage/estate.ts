/** The snapshot as `/api/snapshot` gives it, and what the page looks up in it. */

import { timeOfDay, zoneName, zoneOffset } from '../parts/format'
import type { State } from '../parts/StateMark.svelte'

export type { State }

export interface Subject {
  kind: string
  key: string
}

interface Judged {
  state: State
  sentence: string
  since: string
}

export interface Site {
  name: string
  title: string
  kind: string
  location: string
  timezone: string
  state: State
  nodes: number
  reporting: number
  sentence: string
}

export interface SeenPort {
  carrier: boolean
  mtu: number
  mac: string
  lldp: { node: string; port: string } | null
}

export interface Seen {
  at: string
  boot_id: string
  ports: Record<string, SeenPort>
  addresses: Record<string, string[]>
  units: Record<string, { active: string; sub: string; restarts: number; healthy: boolean | null; detail: string }>
  clock: { offset_ms: number | null; synchronised: boolean }
  uplink: { target: string; rtt_ms: number | null } | null
  load: { cpu: number | null; memory: number | null; disk: number | null }
}

export interface Node extends Judged {
  name: string
  title: string
  role: string
  slot: number
  site: string
  rack_unit: number | null
  layer: string
  management: string
  addresses: string[]
  heard: string | null
  ports: { name: string; cable: string | null }[]
  seen: Seen | null
}

export interface End {
  node: string
  port: string
}

export interface Cable extends Judged {
  label: string
  a: End
  b: End
  segment: string
}

export interface Service extends Judged {
  key: string
  name: string
  title: string
  node: string
  unit: string
  port: number | null
  needs: string[]
}

export interface Incident {
  subject: Subject
  state: State
  verdict: string
  since: string
  remedy: string
  ruled_out: string[]
  folded: Subject[]
  nodes: string[]
}

export interface Entry {
  at: string
  kind: 'day' | 'incident' | 'state' | 'event'
  text: string
  subject: Subject | null
  state: State | null
}

export interface Snapshot {
  at: string
  day: {
    stack: string
    title: string
    edition: number | null
    stage: { number: number; start: string; finish: string; distance_km: number; race_start: string } | null
    phase: string
    phases: string[]
    since: string | null
    message: string
  }
  hub: { present: boolean }
  sites: Site[]
  nodes: Node[]
  cables: Cable[]
  services: Service[]
  segments: { name: string; prefix: string; title: string }[]
  incidents: Incident[]
  log: Entry[]
}

/** Any ISO time that carries the zone of the site: the stage's, or UTC while there is no stage. */
export function siteZone({ day, at }: Snapshot): string {
  return day.stage?.race_start ?? at
}

/** A moment as the site's clock shows it, with its zone. */
export function siteTime(moment: string, zone: string): string {
  const offset = zoneOffset(zone) ?? 0
  return `${timeOfDay(new Date(moment), offset)} ${zoneName(offset)}`
}

/** The word of a state; the unknown always says since when. */
export function stateWord(state: State, since: string, zone: string): string {
  return state === 'unknown' ? `unknown since ${siteTime(since, zone)}` : state
}

/** How a subject is called where a person reads it. */
export function subjectName({ kind, key }: Subject): string {
  return kind === 'service' ? key.replace('@', ' on ') : key
}

const ORDER: State[] = ['bad', 'unknown', 'watch', 'planned', 'gone', 'good']

/** The worst of some states. */
export function worst(states: readonly State[]): State {
  return ORDER.find((state) => states.includes(state)) ?? 'planned'
}

/** Items by what they have in common, in the order in which they come. */
export function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

/** Services of one name together, the worst first, then those that the estate names on few nodes. */
export function byName(services: readonly Service[]): { title: string; state: State; services: Service[] }[] {
  const names = groupBy(services, (service) => service.name)
  return [...names.values()]
    .map((group) => ({ title: group[0]!.title, state: worst(group.map((one) => one.state)), services: group }))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.services.length - b.services.length)
}
