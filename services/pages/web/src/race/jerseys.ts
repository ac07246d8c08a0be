/** The four jerseys: what they are called, and the letter that tells them apart without their colour. */

import type { Jersey } from './feed'

export const JERSEYS: Record<Jersey, { name: string; letter: string }> = {
  yellow: { name: 'Yellow jersey', letter: 'Y' },
  green: { name: 'Green jersey', letter: 'G' },
  polka_dot: { name: 'Polka-dot jersey', letter: 'P' },
  white: { name: 'White jersey', letter: 'W' },
}
