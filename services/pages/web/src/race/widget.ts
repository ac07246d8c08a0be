import { mount } from 'svelte'
import { firstSnapshot } from '../parts/live.svelte'
import type { Course } from './feed'
import { liveView } from './live'
import './look.css'
import './widget.css'
import Widget from './Widget.svelte'

const target = document.getElementById('app')
const show = firstSnapshot<'groups' | 'profile' | 'riders'>('show')
const live = liveView(show === 'riders' ? 'riders' : 'groups')
if (target && show && live) {
  target.replaceChildren()
  mount(Widget, { target, props: { live, show, course: firstSnapshot<Course>('course') } })
}
