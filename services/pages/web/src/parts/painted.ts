/** When a page's first HTML is in front of its reader, and the scripts may take over. */

/** A page that nobody sees, or a frame out of sight, is never painted. */
const PAINTED_WITHIN_MS = 500

export async function painted(): Promise<void> {
  if (performance.getEntriesByName('first-contentful-paint').length) return
  await new Promise<void>((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, document.visibilityState === 'visible' ? PAINTED_WITHIN_MS : 0)
  })
}
