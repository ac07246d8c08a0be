/** Search over nodes, cables, services and sites: every word has to be found, names before descriptions. */

import type { Found } from '../parts/Search.svelte'
import { subjectName, type Snapshot } from './estate'

export function find(words: string, snapshot: Snapshot): Found[] {
  const wanted = words.toLowerCase().split(/\s+/)
  return everything(snapshot)
    .map((found) => ({ found, score: score(wanted, found) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ found }) => found)
}

function everything({ nodes, cables, services, sites }: Snapshot): Found[] {
  return [
    ...nodes.map(({ name, title }) => ({ kind: 'node', id: name, title: name, detail: title })),
    ...cables.map(({ label, a, b }) => ({ kind: 'cable', id: label, title: label, detail: `${a.node} ↔ ${b.node}` })),
    ...sites.map(({ name, title, location }) => ({ kind: 'site', id: name, title, detail: location })),
    ...services.map(({ key, name, title }) => ({ kind: 'service', id: key, title: subjectName({ kind: 'service', key }), detail: title || name })),
  ]
}

function score(wanted: string[], { title, detail }: Found): number {
  const [name, description] = [title.toLowerCase(), detail.toLowerCase()]
  const scores = wanted.map((word) => (name === word ? 4 : name.startsWith(word) ? 3 : name.includes(word) ? 2 : description.includes(word) ? 1 : 0))
  return Math.min(...scores)
}
