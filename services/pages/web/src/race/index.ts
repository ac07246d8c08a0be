import { mount } from 'svelte'
import { firstSnapshot } from '../parts/live.svelte'
import { painted } from '../parts/painted'
import type { Course } from './feed'
import './look.css'
import Race from './Race.svelte'
import { liveRace } from './live'
import { starters } from './startlist'
import { RaceTime } from './time.svelte'

const target = document.getElementById('app')
const course = firstSnapshot<Course>('course')
const live = liveRace()
if (target && course && live) {
  await painted()
  target.replaceChildren()
  mount(Race, { target, props: { time: new RaceTime(live), course, starters: starters() } })
}
