/** The keys of a page: one list that works them and that `?` shows. */

export interface Key {
  key: string
  does: string
  action: () => void
}

/** Whether the element that has the focus wants this key for itself: a field its text, a slider its arrows. */
function takesItself(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement) || key === 'Escape') return false
  if (target instanceof HTMLInputElement && target.type === 'range') return /^(Arrow|Page|Home|End)/.test(key)
  if (/^(A|BUTTON|SUMMARY)$/.test(target.tagName)) return key === ' ' || key === 'Enter'
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

/** Listen for the keys; returns what ends it. */
export function listen(keys: readonly Key[]): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (takesItself(event.target, event.key)) return
    const found = keys.find((key) => key.key === event.key)
    if (!found) return
    event.preventDefault()
    found.action()
  }
  window.addEventListener('keydown', pressed)
  return () => window.removeEventListener('keydown', pressed)
}
