/** Night or day: the system's choice until a reader makes one. The cookie lets the first HTML come in the right theme. */

export type Theme = 'night' | 'day'

function shown(): Theme {
  const chosen = document.documentElement.dataset.theme
  if (chosen === 'night' || chosen === 'day') return chosen
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'night' : 'day'
}

class ThemeChoice {
  current = $state<Theme>(shown())

  toggle(): void {
    this.current = this.current === 'night' ? 'day' : 'night'
    document.documentElement.dataset.theme = this.current
    document.cookie = `theme=${this.current}; path=/; max-age=31536000; samesite=lax`
  }
}

export const theme = new ThemeChoice()
