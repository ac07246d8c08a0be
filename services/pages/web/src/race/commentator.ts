import { mount } from 'svelte'
import { firstSnapshot } from '../parts/live.svelte'
import { painted } from '../parts/painted'
import './commentator.css'
import './look.css'
import Commentator from './Commentator.svelte'
import type { Course } from './feed'
import { liveRace } from './live'
import { starters } from './startlist'
import { RaceTime } from './time.svelte'

const target = document.getElementById('app')
const course = firstSnapshot<Course>('course')
const live = liveRace()
if (target && course && live) {
  await painted()
  target.replaceChildren()
  mount(Commentator, { target, props: { time: new RaceTime(live), course, starters: starters() } })
}
