/** The tokens as numbers, for drawings that know no style sheet. */

import type { Theme } from '../parts/theme.svelte'

type Rgb = [number, number, number]

export interface Palette {
  theme: Theme
  text: Rgb
  muted: Rgb
  surface: Rgb
  grades: Rgb[]
  css: { surface: string; line: string }
}

function rgb(token: string): Rgb {
  const probe = document.body.appendChild(document.createElement('i'))
  probe.style.color = `var(${token})`
  const [red = 0, green = 0, blue = 0] = getComputedStyle(probe).color.match(/[\d.]+/g)?.map(Number) ?? []
  probe.remove()
  return [red, green, blue]
}

/** The colours that the page has in that theme. */
export function colours(theme: Theme): Palette {
  const css = (token: string) => `rgb(${rgb(token).join(',')})`
  return {
    theme,
    text: rgb('--text'),
    muted: rgb('--muted'),
    surface: rgb('--surface'),
    grades: [0, 1, 2, 3, 4, 5].map((shade) => rgb(`--grade-${shade}`)),
    css: { surface: css('--surface'), line: css('--line') },
  }
}
