/** Times against the clock as people read them: tenths of a second count. */

import { UNKNOWN } from '../parts/format'

/** Seconds as m:ss.t */
export function clocked(seconds: number | null): string {
  if (seconds === null) return UNKNOWN
  const tenths = Math.round(Math.abs(seconds) * 10)
  const [minutes, rest] = [Math.floor(tenths / 600), (tenths % 600) / 10]
  return `${minutes}:${rest.toFixed(1).padStart(4, '0')}`
}

/** A gap with its sign: − ahead of the best time, + behind it. */
export function signed(seconds: number | null): string {
  if (seconds === null) return UNKNOWN
  const text = Math.abs(seconds) < 60 ? Math.abs(seconds).toFixed(1) : clocked(seconds)
  return `${seconds < 0 ? '−' : '+'}${text}`
}
