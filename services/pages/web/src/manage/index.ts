import { mount } from 'svelte'
import '../parts/tokens.css'
import Manage from './Manage.svelte'
import { firstSnapshot } from '../parts/live.svelte'

const target = document.getElementById('app')
if (target) {
  target.replaceChildren()
  mount(Manage, { target, props: { first: firstSnapshot() } })
}
