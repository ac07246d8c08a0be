import { mount } from 'svelte'
import { firstSnapshot, Live } from '../parts/live.svelte'
import { painted } from '../parts/painted'
import type { Snapshot } from './estate'
import './look.css'
import Manage from './Manage.svelte'

/** The Manage Centre speaks every five seconds even when nothing changes. */
const PATIENCE_MS = 15_000

const target = document.getElementById('app')
const first = firstSnapshot<Snapshot>()
if (target && first) {
  const live = new Live<Snapshot>({
    stream: '/api/stream',
    event: 'snapshot',
    first,
    version: () => Symbol(), // the estate is judged anew before each event, so each is news
    patience: () => PATIENCE_MS,
  })
  await painted()
  target.replaceChildren()
  mount(Manage, { target, props: { live } })
}
