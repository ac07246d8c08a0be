/** Forecasts as a curve and in words. */

import { UNKNOWN } from '../parts/format'
import type { Forecast } from './feed'

/** A probability in whole percent; what is nearly sure is not said to be sure. */
export function percent(probability: number | null | undefined): string {
  if (probability === null || probability === undefined) return UNKNOWN
  if (probability > 0 && probability < 0.01) return '<1 %'
  if (probability < 1 && probability > 0.99) return '>99 %'
  return share(probability)
}

/** A share in whole percent. */
export function share(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  return `${Math.round(value * 100)} %`.replace('-', '−')
}

/** A path through the values of the forecasts, broken where one of them says nothing. */
export function curve(
  forecasts: readonly Forecast[],
  value: (forecast: Forecast) => number | null | undefined,
  x: (ms: number) => number,
  y: (value: number) => number,
): string {
  let pen = 'M'
  return forecasts
    .map((forecast) => {
      const known = value(forecast)
      if (known === null || known === undefined) {
        pen = 'M'
        return ''
      }
      const piece = `${pen}${x(forecast.clock_ms).toFixed(1)} ${y(known).toFixed(1)}`
      pen = 'L'
      return piece
    })
    .join('')
}

/** What was told, oldest first, with the newest forecast behind it; each moment once. */
export function historyOf(told: readonly Forecast[], newest: Forecast | null): Forecast[] {
  const history = [...told].sort((a, b) => a.clock_ms - b.clock_ms)
  return newest && newest.clock_ms > (history.at(-1)?.clock_ms ?? 0) ? [...history, newest] : history
}
