/** How the course is seen, and whether this browser can draw it in space. */

import type { Course, Group, PlacedRider, Race } from './feed'

/** What every drawing of the course shows. */
export interface Sight {
  course: Course
  race: Race
  groups: readonly Group[]
  riders: readonly PlacedRider[]
  /** Riders who are pinned or selected. */
  marked: ReadonlySet<number>
}

/** All of it, the head with who is near it, or wherever the reader took the camera. */
export type View = 'whole' | 'follow' | 'free'

/** Whether there is WebGL 2, and no wish to save data. */
export function canDraw3D(): boolean {
  const line = (navigator as { connection?: { saveData?: boolean } }).connection
  if (line?.saveData) return false
  return document.createElement('canvas').getContext('webgl2') !== null
}

/** A page that is told something each second may never be idle. */
const IDLE_WITHIN_MS = 2000

/** Once the element is in sight and the page has nothing better to do; returns what gives up waiting. */
export function whenSeenAndIdle(element: Element, action: () => void): () => void {
  const later = () => ('requestIdleCallback' in window ? requestIdleCallback(action, { timeout: IDLE_WITHIN_MS }) : setTimeout(action, IDLE_WITHIN_MS))
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry?.isIntersecting) return
    seen.disconnect()
    later()
  })
  seen.observe(element)
  return () => seen.disconnect()
}
