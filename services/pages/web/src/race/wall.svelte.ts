/** The wall: the same page for people three metres away, everything larger and nothing below the screen. */

class Wall {
  on = $state(new URLSearchParams(location.search).has('wall'))

  constructor() {
    this.#show()
  }

  toggle(): void {
    this.on = !this.on
    const address = new URL(location.href)
    if (this.on) address.searchParams.set('wall', '')
    else address.searchParams.delete('wall')
    history.replaceState(null, '', address)
    this.#show()
  }

  #show(): void {
    document.documentElement.classList.toggle('wall', this.on)
  }
}

export const wall = new Wall()
