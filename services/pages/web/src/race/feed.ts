/**
 * What the race's feed says: `/api/course` and `/api/startlist` once, `/api/snapshot` and every `state` event of
 * `/api/stream`, `/api/timeline` and `/api/forecasts` now and then, `/api/moments/{ms}` and `/api/replay` of the past.
 */

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
  kind?: 'road' | 'individual time trial' | 'team time trial'
}

/** A rider of whom it is known where he is. */
export type PlacedRider = Rider & { km: number; lat: number; lon: number }

export type Jersey = 'yellow' | 'green' | 'polka_dot' | 'white'

/** Riders together on the road; gaps are behind the head of the race unless they say otherwise. */
export interface Group {
  /** Its place on the road, from 1 at the head. */
  id: number
  /** The same for as long as the group lives. */
  group_id: number | null
  name: string
  size: number
  riders: number[]
  km: number
  to_go_km: number
  gap_s: number | null
  gap_m: number | null
  /** From head to head. */
  gap_to_previous_s: number | null
  /** From the last rider of the group in front to the first of this one. */
  tail_gap_s: number | null
  /** From its first rider to its last. */
  length_s: number | null
  speed_kmh: number | null
  since: string | null
  jerseys: Jersey[]
}

/** Of a group, what a drawing of the road shows. */
export type OnRoad = Pick<Group, 'id' | 'group_id' | 'name' | 'size' | 'km'>

export interface Rider {
  rider: number
  km: number | null
  to_go_km: number | null
  lat: number | null
  lon: number | null
  elevation_m: number | null
  heading_deg: number | null
  speed_kmh: number | null
  speed_10s_kmh: number | null
  speed_average_kmh: number | null
  acceleration_ms2: number | null
  /** Rise over run. */
  gradient: number | null
  /** Estimated from speed, gradient, air and shelter; never measured. */
  power_w: number | null
  /** Against the rider above 0. */
  head_wind_kmh: number | null
  /** From the rider's left above 0. */
  cross_wind_kmh: number | null
  position: number
  /** The `id` of his group, 0 for none. */
  group: number
  group_id: number | null
  position_in_group: number | null
  gap_s: number | null
  gap_m: number | null
  gap_previous_s: number | null
  gap_previous_m: number | null
  /** Behind the holder of the yellow jersey, below 0 in front of him. */
  gap_yellow_s: number | null
  gap_yellow_m: number | null
  virtual_rank: number | null
  virtual_gap_s: number | null
  seen_ms: number
  unseen_s: number | null
  /** 0 fresh, 1 predicted, 2 lost, 3 finished. */
  quality: number
  /** 0 as first told; 1 and more where late readings have amended it. */
  revision: number
}

export interface RaceEvent {
  time_ms: number
  kind: 'split' | 'merge' | 'attack' | 'catch' | 'finish' | 'withdrawal' | 'bike_change' | 'jersey' | 'best_time' | 'caught'
  group_id: number | null
  other_group_id: number | null
  riders: number[]
  km_to_go: number | null
  text: string
}

/** What was said of the race's end at one moment, before it was known. */
export interface Forecast {
  clock_ms: number
  km_to_go: number
  catch: {
    probability: number
    at_km_to_go: number | null
    in_s: number | null
    baselines: { base_rate: number | null; chapatte: number | null }
  } | null
  winner: { rider: number; probability: number }[]
  finish: { median_ms: number; p10_ms: number; p90_ms: number } | null
  model: string
  simulated: boolean
}

/** How forecasts have done in simulated stages that none of them had seen, as far as it was measured. */
export interface Scores {
  stages?: number | null
  forecasts?: number | null
  brier?: number | null
  skill_over_base_rate?: number | null
  skill_over_chapatte?: number | null
  log_loss?: number | null
}

export interface ForecastRecord {
  catch?: { overall: Scores; reliability?: { forecast: number; observed: number; forecasts: number }[] }
}

/** The newest first. */
export interface Forecasts {
  forecasts: Forecast[]
  record: ForecastRecord | null
}

export interface Timeline {
  from_ms: number | null
  to_ms: number | null
  events: RaceEvent[]
}

export interface Starter {
  rider: number
  name: string | null
  team: string | null
  nationality: string | null
  jerseys: Jersey[]
  withdrawn_at: string | null
}

export interface StartList {
  riders: Starter[]
}

/** A rider or a team against the clock. */
export interface Timed {
  name: string
  riders: number[]
}

export interface TimeTrial {
  /** In the order of the road, the finish last; of each the best times. */
  checks: { name: string; km: number; passed: number; times: (Timed & { place: number; elapsed_s: number; gap_s: number })[] }[]
  /** The first starter first; gaps are against the best time at the same place, below 0 ahead of it. */
  on_course: (Timed & {
    km: number | null
    gap_s: number | null
    check: string | null
    check_place: number | null
    check_gap_s: number | null
  })[]
  next: (Timed & { starts_at: string; in_s: number })[]
}

export interface Snapshot {
  race: Race
  /** Null where all start together. */
  time_trial?: TimeTrial | null
  groups: Group[]
  riders: Rider[]
  health: { readings: number; per_second: number; duplicates: number; late: number; lag_ms: number | null }
  events: RaceEvent[]
  forecast: Forecast | null
  /** From which gap on a group splits, and below which two become one. */
  thresholds: { split_s: number; join_s: number } | null
  /** Whether this is a moment of the past. */
  replay?: boolean
}

/** What `/api/stream?view=` tells: of each second what a small page shows, and no more digits than it shows. */
export interface Small {
  race: Pick<Race, 'edition' | 'stage' | 'start' | 'finish' | 'race_start' | 'clock_ms' | 'speed_factor' | 'status' | 'simulated'>
  groups: (OnRoad & Pick<Group, 'to_go_km' | 'gap_s'>)[]
  riders: Pick<Rider, 'rider' | 'position' | 'gap_s' | 'to_go_km'>[]
}

/** What changed since the second `since_ms`: records stand for those of the same key, and hold what changed of them. */
export interface Change {
  since_ms: number
  race?: Partial<Small['race']>
  groups?: ({ id: number } & Partial<Small['groups'][number]>)[]
  groups_order?: number[]
  riders?: ({ rider: number } & Partial<Small['riders'][number]>)[]
  riders_order?: number[]
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

export interface Sprint {
  name?: string | null
  km: number
}

export interface Course {
  name: string
  stands_in_for: string
  attribution: string
  official_km: number
  points: CoursePoint[]
  climbs: Climb[]
  sprints?: Sprint[]
}
