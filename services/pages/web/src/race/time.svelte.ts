/** Which second of the race is shown: the present one, a moment of the past, or the past as it plays. */

import { untrack } from 'svelte'
import type { Live } from '../parts/live.svelte'
import { merged } from './events'
import type { Snapshot, Timeline } from './feed'

export const SPEEDS = [1, 10, 60, 600, 3600] as const
const TIMELINE_EVERY_MS = 30_000
/** So close to the present the past is over. */
const PRESENT_MS = 2000

export class RaceTime {
  speed = $state<number>(10)
  playing = $state(false)
  /** Why the past cannot be shown, as a sentence; empty where it can. */
  failure = $state('')
  /** Where the reader's hand is, until that moment is shown. */
  wanted = $state<number | null>(null)
  #past = $state.raw<Snapshot | null>(null)
  #timeline = $state.raw<Timeline>({ from_ms: null, to_ms: null, events: [] })

  readonly live: Live<Snapshot>
  #source: EventSource | null = null
  #fetching = false

  constructor(live: Live<Snapshot>) {
    this.live = live
  }

  /** What the page shows. */
  readonly shown = $derived.by(() => this.#past ?? this.live.data!)
  readonly replaying = $derived.by(() => this.#past !== null)
  /** Nothing is known of the present, and the present is what is shown. */
  readonly lost = $derived.by(() => this.live.connection === 'lost' && !this.replaying)
  readonly from = $derived.by(() => this.#timeline.from_ms ?? Date.parse(this.live.data!.race.race_start))
  /** The present, which is where the bar ends. */
  readonly to = $derived.by(() => Math.max(this.from + 1000, this.live.data!.race.clock_ms ?? 0, this.#timeline.to_ms ?? 0))
  readonly at = $derived.by(() => this.wanted ?? this.shown.race.clock_ms ?? this.from)
  readonly events = $derived.by(() => merged(this.#timeline.events, this.live.data!.events ?? []))

  /** Follow what can be replayed; returns what ends it. */
  start(): () => void {
    void this.#readTimeline()
    const again = setInterval(() => void this.#readTimeline(), TIMELINE_EVERY_MS)
    const moment = Number(new URLSearchParams(location.search).get('at'))
    if (moment > 0) untrack(() => this.seek(moment))
    return () => {
      clearInterval(again)
      this.#stop()
    }
  }

  /** Show that moment; the present where it is one. */
  seek(ms: number): void {
    this.#stop()
    if (ms >= this.to - PRESENT_MS) return this.backToLive()
    this.wanted = Math.max(this.from, Math.round(ms / 1000) * 1000)
    if (!this.#fetching) void this.#fetchWanted()
  }

  step(ms: number): void {
    this.seek(this.at + ms)
  }

  /** The event before or after the moment that is shown. */
  stepToEvent(by: 1 | -1): void {
    const found = by > 0 ? this.events.find((event) => event.time_ms > this.at + 999) : this.events.findLast((event) => event.time_ms < this.at - 999)
    if (found) this.seek(found.time_ms)
    else if (by > 0) this.backToLive()
  }

  togglePlay(): void {
    if (this.playing) this.#stop()
    else if (this.#past) this.#play()
  }

  chooseSpeed(speed: number): void {
    this.speed = speed
    if (this.playing) this.#play()
  }

  backToLive(): void {
    this.#stop()
    this.#past = null
    this.wanted = null
    this.failure = ''
    nameMoment(null)
  }

  #play(): void {
    this.#stop()
    const source = new EventSource(`/api/replay?from_ms=${this.shown.race.clock_ms}&speed=${this.speed}`)
    source.addEventListener('state', (message) => {
      const moment = JSON.parse(message.data) as Snapshot
      if ((moment.race.clock_ms ?? 0) >= this.to - PRESENT_MS) return this.backToLive()
      this.#past = moment
    })
    source.addEventListener('error', () => {
      this.#stop()
      this.failure = 'The replay ended. Play goes on from here.'
    })
    this.#source = source
    this.playing = true
    this.failure = ''
  }

  #stop(): void {
    this.#source?.close()
    this.#source = null
    this.playing = false
  }

  /** One request at a time: a hand on the bar asks for more moments than a feed should answer. */
  async #fetchWanted(): Promise<void> {
    this.#fetching = true
    while (this.wanted !== null) {
      const asked = this.wanted
      const moment = await read<Snapshot>(`/api/moments/${asked}`)
      if (this.wanted === null) break
      if (moment) {
        this.#past = moment
        nameMoment(asked)
      }
      this.failure = moment ? '' : 'That moment is not kept. Choose another one, or go back to live.'
      if (this.wanted === asked) this.wanted = null
    }
    this.#fetching = false
  }

  async #readTimeline(): Promise<void> {
    this.#timeline = (await read<Timeline>('/api/timeline')) ?? this.#timeline
  }
}

/** What that address answers; null where it cannot be had. */
export async function read<T>(address: string): Promise<T | null> {
  try {
    const answer = await fetch(address)
    return answer.ok ? ((await answer.json()) as T) : null
  } catch {
    return null
  }
}

/** Put the moment into the page's address, so that it can be passed on. */
function nameMoment(ms: number | null): void {
  const address = new URL(location.href)
  if (ms === null) address.searchParams.delete('at')
  else address.searchParams.set('at', String(ms))
  if (address.href !== location.href) history.replaceState(null, '', address)
}
