/** The keys of a page: one list that works them and that `?` shows. */

export interface Key {
  key: string
  does: string
  action: () => void
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Listen for the keys; returns what ends it. Inside a field only Escape is a key, the rest is text. */
export function listen(keys: readonly Key[]): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (isTyping(event.target) && event.key !== 'Escape') return
    const found = keys.find((key) => key.key === event.key)
    if (!found) return
    event.preventDefault()
    found.action()
  }
  window.addEventListener('keydown', pressed)
  return () => window.removeEventListener('keydown', pressed)
}
