import { expect, test } from 'vitest'
import type { Cable, Node, Site } from './estate'
import { layoutEstate } from './layout'

function node(name: string, site: string, rack_unit: number | null = null): Node {
  const [, role, slot] = /^(.*)-(\d+)$/.exec(name)!
  const layer = ['operations', 'london'].includes(site) ? 'core' : 'stage'
  return { name, role, slot: Number(slot), site, rack_unit, layer, state: 'good' } as unknown as Node
}

function cable(label: string, a: string, b: string): Cable {
  return { label, a: { node: a, port: 'a' }, b: { node: b, port: b } } as unknown as Cable
}

const servers = Array.from({ length: 60 }, (_, index) => `processor-${index + 1}`)
const estate = {
  sites: [
    { name: 'operations', kind: 'operations' },
    { name: 'london', kind: 'place' },
    { name: 'truck', kind: 'truck' },
    { name: 'cloud', kind: 'cloud' },
  ] as Site[],
  nodes: [
    node('wan-1', 'operations'),
    node('manage-1', 'operations'),
    node('place-london-1', 'london'),
    node('edge-1', 'truck', 5),
    node('gateway-1', 'truck', 1),
    node('switch-1', 'truck', 2),
    node('fabric-1', 'cloud'),
    ...servers.map((name) => node(name, 'cloud')),
  ],
  cables: [
    cable('N-02', 'manage-1', 'wan-1'),
    cable('P-05', 'place-london-1', 'wan-1'),
    cable('N-09', 'fabric-1', 'wan-1'),
    cable('N-10', 'gateway-1', 'wan-1'),
    cable('T1-01', 'gateway-1', 'switch-1'),
    cable('T1-05', 'edge-1', 'switch-1'),
    ...servers.map((name) => cable(`C-${name}`, name, 'fabric-1')),
  ],
}

test.each([360, 800, 1400])('at %i px every node has a box within the width and none lies on another', (width) => {
  const { boxes } = layoutEstate(estate, width)
  expect(boxes).toHaveLength(estate.nodes.length)
  for (const box of boxes) {
    expect(box.x).toBeGreaterThanOrEqual(0)
    expect(box.x + box.w).toBeLessThanOrEqual(width)
    const under = boxes.filter((other) => other !== box && other.x < box.x + box.w && box.x < other.x + other.w && other.y < box.y + box.h && box.y < other.y + other.h)
    expect(under).toEqual([])
  }
})

test('every cable is drawn, and those of the many servers are quiet', () => {
  const { paths } = layoutEstate(estate, 800)
  expect(paths.map((path) => path.cable.label).sort()).toEqual(estate.cables.map((one) => one.label).sort())
  expect(paths.filter((path) => path.quiet)).toHaveLength(60)
})

test('the truck stands in the order of its rack units', () => {
  const { boxes } = layoutEstate(estate, 800)
  const rack = boxes.filter((box) => box.kind === 'rack').sort((a, b) => a.y - b.y)
  expect(rack.map((box) => box.node.name)).toEqual(['gateway-1', 'switch-1', 'edge-1'])
})

test('a stage that is not known yet leaves the season alone on the map', () => {
  const core = { ...estate, nodes: estate.nodes.filter(({ layer }) => layer === 'core'), cables: estate.cables.slice(0, 2) }
  const layout = layoutEstate(core, 800)
  expect(layout.panels).toEqual([])
  expect(layout.boxes).toHaveLength(3)
})
