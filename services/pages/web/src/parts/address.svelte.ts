/** The element that the page's address names: `#rider-11`, `#group-2`, `#node-edge-1`. */

export interface Element {
  kind: string
  id: string
}

/** Split an address's fragment at its first hyphen; null where it names nothing. */
export function parseFragment(fragment: string): Element | null {
  const [, kind, id] = /^#?([a-z]+)-(.+)$/.exec(decodeURIComponent(fragment)) ?? []
  return kind && id ? { kind, id } : null
}

class Address {
  selected = $state.raw<Element | null>(parseFragment(location.hash))

  constructor() {
    window.addEventListener('hashchange', () => (this.selected = parseFragment(location.hash)))
  }

  is(kind: string, id: string | number): boolean {
    return this.selected?.kind === kind && this.selected.id === String(id)
  }

  /** Select without the browser's scrolling to the element: nothing jumps. */
  select(kind: string, id: string | number): void {
    history.pushState(null, '', `#${kind}-${id}`)
    this.selected = { kind, id: String(id) }
  }

  clear(): void {
    history.pushState(null, '', location.pathname + location.search)
    this.selected = null
  }
}

export const address = new Address()
