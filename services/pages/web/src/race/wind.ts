/** Wind in the rider's frame. */

export interface FeltWind {
  kmh: number
  /** Where it blows to, clockwise from the way he rides: 180 is straight into his face. */
  towards: number
  along: 'head' | 'tail'
  across: 'from the left' | 'from the right'
}

/** Of its parts against the rider and from his left; null where the weather is not known. */
export function windOf(head: number | null | undefined, cross: number | null | undefined): FeltWind | null {
  if (head === null || head === undefined || cross === null || cross === undefined) return null
  return {
    kmh: Math.hypot(head, cross),
    towards: ((Math.atan2(cross, -head) * 180) / Math.PI + 360) % 360,
    along: head >= 0 ? 'head' : 'tail',
    across: cross >= 0 ? 'from the left' : 'from the right',
  }
}
