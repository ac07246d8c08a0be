import { mount } from 'svelte'
import '../parts/tokens.css'
import Race from './Race.svelte'
import { firstSnapshot } from '../parts/live.svelte'

const target = document.getElementById('app')
if (target) {
  target.replaceChildren()
  mount(Race, { target, props: { first: firstSnapshot() } })
}
