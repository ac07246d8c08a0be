/** What the race's feed says: `/api/course` once, `/api/snapshot` and every `state` event of `/api/stream`. */

export interface Race {
  stack: string
  edition: number
  stage: number
  start: string
  finish: string
  /** ISO time with the zone of the finish, in which all times of the race are shown. */
  race_start: string
  clock: string | null
  clock_ms: number | null
  speed_factor: number
  status: 'waiting' | 'live' | 'finished'
  km_done: number
  simulated: boolean
}

/** A rider of whom it is known where he is. */
export type PlacedRider = Rider & { km: number; lat: number; lon: number }

/** Riders together on the road; gaps are behind the head of the race unless they say otherwise. */
export interface Group {
  id: number
  name: string
  size: number
  riders: number[]
  km: number
  to_go_km: number
  gap_s: number | null
  gap_m: number | null
  gap_to_previous_s: number | null
  speed_kmh: number | null
}

export interface Rider {
  rider: number
  km: number | null
  to_go_km: number | null
  lat: number | null
  lon: number | null
  speed_kmh: number | null
  /** Rise over run. */
  gradient: number | null
  position: number
  group: number
  gap_s: number | null
  gap_m: number | null
  seen_ms: number
  /** 0 fresh, 1 predicted, 2 lost, 3 finished. */
  quality: number
}

export interface Snapshot {
  race: Race
  groups: Group[]
  riders: Rider[]
  health: { readings: number; per_second: number; duplicates: number; late: number; lag_ms: number | null }
}

export interface CoursePoint {
  km: number
  lat: number
  lon: number
  ele: number
  gradient: number
}

export interface Climb {
  name?: string | null
  from_km: number
  to_km: number
  gain_m: number
  mean_gradient: number
}

export interface Course {
  name: string
  stands_in_for: string
  attribution: string
  official_km: number
  points: CoursePoint[]
  climbs: Climb[]
}
