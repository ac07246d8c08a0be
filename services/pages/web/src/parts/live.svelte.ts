export function firstSnapshot<T>(): T | null {
  const element = document.getElementById('snapshot')
  return element?.textContent ? (JSON.parse(element.textContent) as T) : null
}
