/** Where everything of the estate is drawn: a pure function of the graph and the width. All lengths in px. */

import { groupBy, type Cable, type Node, type Site, type Snapshot } from './estate'

export interface Box {
  node: Node
  kind: 'place' | 'bar' | 'rack' | 'cell'
  x: number
  y: number
  w: number
  h: number
}

export interface Panel {
  site: Site
  x: number
  y: number
  w: number
  h: number
}

export interface Caption {
  text: string
  x: number
  y: number
}

export interface Point {
  x: number
  y: number
}

export interface Path {
  cable: Cable
  d: string
  /** Where the label stands. */
  middle: Point
  ends: [Point, Point]
  /** One of so many that it is drawn only when there is something to say about it. */
  quiet: boolean
}

export interface Layout {
  height: number
  boxes: Box[]
  panels: Panel[]
  captions: Caption[]
  paths: Path[]
}

const MARGIN = 28
const GAP = 8
const SLOT = 6
const PLACE = { w: 96, h: 44 }
const EDGE = 6
const BAR = 36
const RACK = 36
const PORT = 8
const CELL = { w: 44, h: 28, gap: 4 }
const PAD = 12
const HEADER = 36
const LANE = 5
const TWO_COLUMNS = 660
const LEFT_COLUMN = 300

type Graph = Pick<Snapshot, 'sites' | 'nodes' | 'cables'>

export function layoutEstate(graph: Graph, width: number): Layout {
  return new Drawing(graph, width).draw()
}

class Drawing {
  readonly boxes = new Map<string, Box>()
  readonly panels: Panel[] = []
  readonly captions: Caption[] = []
  readonly lanes = new Map<string, number>()
  readonly site: ReadonlyMap<string, string>
  readonly root: Node | undefined

  constructor(
    readonly graph: Graph,
    readonly width: number,
  ) {
    this.site = new Map(graph.nodes.map((node) => [node.name, node.site]))
    this.root = this.#root()
  }

  draw(): Layout {
    const top = this.#core()
    const height = this.#sites(top)
    const paths = this.graph.cables.flatMap((cable) => this.#path(cable) ?? [])
    return { height, boxes: [...this.boxes.values()], panels: this.panels, captions: this.captions, paths }
  }

  /** The node through which most sites hang together. */
  #root(): Node | undefined {
    const reach = (node: Node) => new Set(this.#cablesOf(node.name).flatMap(({ a, b }) => [this.site.get(a.node), this.site.get(b.node)])).size
    return [...this.graph.nodes].filter(({ layer }) => layer === 'core').sort((a, b) => reach(b) - reach(a))[0]
  }

  #cablesOf(name: string): Cable[] {
    return this.graph.cables.filter(({ a, b }) => a.node === name || b.node === name)
  }

  /** The season's nodes in rows over the managed network; returns the y below it. */
  #core(): number {
    const rank = new Map(this.graph.sites.map((site) => [site.name, site.kind === 'operations' ? 0 : 1]))
    const nodes = this.graph.nodes
      .filter((node) => node.layer === 'core' && node !== this.root)
      .sort((a, b) => (rank.get(a.site) ?? 1) - (rank.get(b.site) ?? 1))
    const room = this.width - 2 * MARGIN
    const most = Math.max(2, Math.floor((room + GAP) / (PLACE.w + GAP)))
    const rows = Math.max(1, Math.ceil(nodes.length / most))
    const each = Math.max(1, Math.ceil(nodes.length / rows))
    const w = (room - GAP * (each - 1)) / each
    nodes.forEach((node, index) => {
      const [row, column] = [Math.floor(index / each), index % each]
      this.#put({ node, kind: 'place', x: MARGIN + column * (w + GAP), y: PAD + row * (PLACE.h + GAP), w, h: PLACE.h })
    })
    const y = PAD + rows * (PLACE.h + GAP) + 24
    if (!this.root) return PAD
    this.#put({ node: this.root, kind: 'bar', x: EDGE, y, w: this.width - 2 * EDGE, h: BAR })
    return y + BAR + 28
  }

  #put(box: Box): void {
    this.boxes.set(box.node.name, box)
  }

  /** The stage's sites in one or two columns; returns the y below all of them. */
  #sites(top: number): number {
    const sites = this.graph.sites.filter((site) => this.graph.nodes.some((node) => node.layer !== 'core' && node.site === site.name))
    const dense = sites.filter((site) => site.kind === 'cloud')
    const racks = sites.filter((site) => site.kind !== 'cloud').sort((a, b) => Number(b.kind === 'truck') - Number(a.kind === 'truck'))
    const room = this.width - 2 * MARGIN
    if (this.width < TWO_COLUMNS) return this.#column([...racks, ...dense], MARGIN, room, top)
    const left = this.#column(racks, MARGIN, LEFT_COLUMN, top)
    const x = MARGIN + LEFT_COLUMN + MARGIN
    return Math.max(left, this.#column(dense, x, this.width - MARGIN - x, top))
  }

  #column(sites: Site[], x: number, w: number, top: number): number {
    let y = top
    sites.forEach((site, index) => {
      this.lanes.set(site.name, x - 10 - 6 * index)
      const nodes = this.graph.nodes.filter((node) => node.site === site.name)
      const bottom = site.kind === 'cloud' ? this.#grid(nodes, x, y, w) : this.#rack(nodes, x, y, w)
      this.panels.push({ site, x, y, w, h: bottom - y })
      y = bottom + 20
    })
    return y
  }

  /** Boxes in their slots, ports on the right where the cables are. */
  #rack(nodes: Node[], x: number, top: number, w: number): number {
    const gutter = this.#gutter(nodes)
    let y = top + HEADER
    for (const node of [...nodes].sort(byRackUnit)) {
      const inside = this.#cablesOf(node.name).filter((cable) => this.#isInside(cable))
      const h = Math.max(RACK, inside.length * PORT + 6)
      this.#put({ node, kind: 'rack', x: x + PAD, y, w: w - 2 * PAD - gutter, h })
      y += h + SLOT
    }
    return y + PAD - SLOT
  }

  #gutter(nodes: Node[]): number {
    const names = new Set(nodes.map(({ name }) => name))
    const inside = this.graph.cables.filter(({ a, b }) => names.has(a.node) && names.has(b.node))
    return Math.min(72, 16 + inside.length * LANE)
  }

  /** The node that leads out as a bar, all others by role in a dense grid. */
  #grid(nodes: Node[], x: number, top: number, w: number): number {
    const out = nodes.find((node) => this.#cablesOf(node.name).some((cable) => !this.#isInside(cable)))
    let y = top + HEADER
    if (out) {
      this.#put({ node: out, kind: 'bar', x: x + PAD, y, w: w - 2 * PAD, h: RACK })
      y += RACK + 20
    }
    const roles = groupBy(nodes.filter((node) => node !== out), (node) => node.role)
    const most = Math.max(1, Math.floor((w - 2 * PAD + CELL.gap) / (CELL.w + CELL.gap)))
    for (const [role, group] of [...roles].sort(([, a], [, b]) => b.length - a.length)) {
      this.captions.push({ text: `${role} · ${group.length}`, x: x + PAD, y: y + 12 })
      y += 20
      group.sort((a, b) => a.slot - b.slot).forEach((node, index) => {
        const [row, column] = [Math.floor(index / most), index % most]
        this.#put({ node, kind: 'cell', x: x + PAD + column * (CELL.w + CELL.gap), y: y + row * (CELL.h + CELL.gap), w: CELL.w, h: CELL.h })
      })
      y += Math.ceil(group.length / most) * (CELL.h + CELL.gap) + 8
    }
    return y + PAD - 8
  }

  #isInside({ a, b }: Cable): boolean {
    return this.site.get(a.node) === this.site.get(b.node)
  }

  #path(cable: Cable): Path | null {
    const [a, b] = [this.boxes.get(cable.a.node), this.boxes.get(cable.b.node)]
    if (!a || !b) return null
    if (a.kind === 'cell' || b.kind === 'cell') return toCell(cable, a.kind === 'cell' ? a : b, a.kind === 'cell' ? b : a)
    if (a.node === this.root || b.node === this.root) return this.#toRoot(cable, a.node === this.root ? b : a, a.node === this.root ? a : b)
    if (this.#isInside(cable)) return this.#inRack(cable, a, b)
    return null
  }

  #toRoot(cable: Cable, box: Box, root: Box): Path {
    if (box.kind === 'place') {
      const [x, from] = [box.x + box.w / 2, box.y + box.h]
      const lastRow = root.y - from < PLACE.h
      const gutter = box.x - GAP / 2
      const d = lastRow ? `M${x} ${from}V${root.y}` : `M${x} ${from}v4H${gutter}V${root.y}`
      return { cable, d, middle: { x: lastRow ? x : gutter, y: root.y - 14 }, ends: [{ x, y: from }, { x: lastRow ? x : gutter, y: root.y }], quiet: false }
    }
    const lane = this.lanes.get(box.node.site) ?? box.x
    const [from, y] = [root.y + root.h, box.y + box.h / 2]
    return {
      cable,
      d: `M${lane} ${from}V${y - 6}q0 6 6 6H${box.x}`,
      middle: { x: lane + 20, y: from + 16 },
      ends: [{ x: lane, y: from }, { x: box.x, y }],
      quiet: false,
    }
  }

  /** Round the outside of the rack: the longer the cable, the further out. */
  #inRack(cable: Cable, a: Box, b: Box): Path {
    const [from, to] = [this.#portPoint(a, cable), this.#portPoint(b, cable)].sort((one, other) => one.y - other.y) as [Point, Point]
    const panel = this.panels.find(({ site }) => site.name === a.node.site)!
    const room = panel.x + panel.w - PAD - from.x
    const siblings = this.graph.cables
      .filter((other) => this.#isInside(other) && this.site.get(other.a.node) === a.node.site)
      .sort((one, other) => this.#span(one) - this.#span(other))
    const lane = from.x + 10 + (siblings.indexOf(cable) + 1) * ((room - 12) / (siblings.length + 1))
    const r = Math.min(6, (to.y - from.y) / 2)
    return {
      cable,
      d: `M${from.x} ${from.y}H${lane - r}q${r} 0 ${r} ${r}V${to.y - r}q0 ${r} ${-r} ${r}H${to.x}`,
      middle: { x: lane, y: (from.y + to.y) / 2 },
      ends: [from, to],
      quiet: false,
    }
  }

  #span({ a, b }: Cable): number {
    return Math.abs((this.boxes.get(a.node)?.y ?? 0) - (this.boxes.get(b.node)?.y ?? 0))
  }

  /** Ports from the top down in the order of where their cables go, so that cables cross as little as they can. */
  #portPoint(box: Box, cable: Cable): Point {
    const away = (other: Cable) => this.boxes.get(other.a.node === box.node.name ? other.b.node : other.a.node)?.y ?? 0
    const cables = this.#cablesOf(box.node.name).filter((other) => this.#isInside(other)).sort((one, other) => away(one) - away(other))
    const first = box.y + box.h / 2 - ((cables.length - 1) * PORT) / 2
    return { x: box.x + box.w, y: first + cables.indexOf(cable) * PORT }
  }
}

function byRackUnit(a: Node, b: Node): number {
  return (a.rack_unit ?? 99) - (b.rack_unit ?? 99) || a.name.localeCompare(b.name)
}

/** Between the columns, so that it strikes through no other server. */
function toCell(cable: Cable, cell: Box, bar: Box): Path {
  const [from, x] = [bar.y + bar.h, cell.x + cell.w / 2]
  const gutter = cell.x - CELL.gap / 2
  const ends: [Point, Point] = [
    { x: gutter, y: from },
    { x, y: cell.y },
  ]
  return { cable, d: `M${gutter} ${from}V${cell.y - 4}H${x}V${cell.y}`, middle: { x: gutter, y: Math.max(from + 10, cell.y - 14) }, ends, quiet: true }
}
