import { mount } from 'svelte'
import { firstSnapshot, Live } from '../parts/live.svelte'
import '../parts/tokens.css'
import '../parts/first.css'
import type { Course, Snapshot } from './feed'
import './look.css'
import Race from './Race.svelte'

/** A live race has news once a second of its own clock; one that waits or is over may be silent. */
const LIVE_PATIENCE_MS = 6000

const target = document.getElementById('app')
const course = firstSnapshot<Course>('course')
const first = firstSnapshot<Snapshot>()
if (target && course && first) {
  const live = new Live<Snapshot>({
    stream: '/api/stream',
    event: 'state',
    first,
    version: ({ race }) => `${race.status} ${race.clock_ms}`,
    patience: (data) => (data?.race.status === 'live' ? LIVE_PATIENCE_MS / Math.min(1, data.race.speed_factor) : null),
  })
  target.replaceChildren()
  mount(Race, { target, props: { live, course } })
}
