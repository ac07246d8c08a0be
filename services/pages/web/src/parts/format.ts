/** Figures as people read them; what is not known is a dash, never a zero. */

export const UNKNOWN = '–'

function known(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

/** A fixed number of decimals. */
export function decimal(value: number | null | undefined, digits = 1): string {
  return known(value) ? value.toFixed(digits) : UNKNOWN
}

/** Seconds as m:ss, from an hour on as h:mm:ss. */
export function duration(seconds: number | null | undefined): string {
  if (!known(seconds)) return UNKNOWN
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (part: number) => String(part).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A distance in metres, from ten kilometres on in kilometres. */
export function metres(value: number | null | undefined): string {
  if (!known(value)) return `${UNKNOWN} m`
  return value < 10_000 ? `${Math.round(value)} m` : `${(value / 1000).toFixed(1)} km`
}

/** A ratio of rise over run as a percentage with its sign. */
export function gradient(ratio: number | null | undefined): string {
  if (!known(ratio)) return UNKNOWN
  const percent = (ratio * 100).toFixed(1)
  return percent === '-0.0' ? '0.0' : percent.replace('-', '−')
}

/** The offset in minutes that an ISO time carries (`+02:00` is 120, `Z` is 0); null where it carries none. */
export function zoneOffset(iso: string): number | null {
  if (iso.endsWith('Z')) return 0
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(iso) ?? []
  return sign ? (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : null
}

/** The zone as a reader says it: UTC, UTC+2, UTC+5:30. */
export function zoneName(offset: number): string {
  if (offset === 0) return 'UTC'
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
  return `UTC${offset < 0 ? '−' : '+'}${hours}${minutes ? `:${String(minutes).padStart(2, '0')}` : ''}`
}

/** HH:MM:SS of a moment in the zone with that offset (minutes east of UTC). */
export function timeOfDay(moment: Date, offset: number): string {
  return new Date(moment.getTime() + offset * 60_000).toISOString().slice(11, 19)
}

/** HH:MM:SS and zone as the reader's own clock shows that moment. */
export function localTime(moment: Date): string {
  const offset = -moment.getTimezoneOffset()
  return `${timeOfDay(moment, offset)} ${zoneName(offset)}`
}
