/** What a page knows, kept live: the snapshot inside the first HTML, then one server-sent event after another. */

export type Connection = 'connecting' | 'live' | 'lost'

interface Options<T> {
  stream: string
  event: string
  first: T | null
  /** Equal for two snapshots that say the same; a line that only repeats itself is not live. */
  version: (data: T) => unknown
  /** Milliseconds without news after which the data counts as lost; null where silence is normal. */
  patience: (data: T | null) => number | null
  /** Events that hold only what changed; `apply` says null for one that does not follow what is known. */
  changes?: { event: string; apply: (data: T, change: any) => T | null }
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 8000

/** The snapshot that the server put into the page, or null where it had none. */
export function firstSnapshot<T>(id = 'snapshot'): T | null {
  const text = document.getElementById(id)?.textContent
  return text ? (JSON.parse(text) as T | null) : null
}

/** Wait before the n-th new attempt: doubling, with up to a quarter of chance so that pages do not return together. */
export function retryDelay(attempt: number, chance = Math.random()): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (1 + chance / 4)
}

export class Live<T> {
  data = $state.raw<T | null>(null)
  connection = $state<Connection>('connecting')
  /** When the last news was heard; what a lost connection is counted from. */
  since = $state.raw(new Date())

  readonly #options: Options<T>
  #source: EventSource | null = null
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(options: Options<T>) {
    this.#options = options
    this.data = options.first
  }

  /** Connect; returns what ends it, so `$effect(() => live.start())` is all that a page needs. */
  start(): () => void {
    this.#open()
    const watch = setInterval(() => this.#watch(), 1000)
    return () => {
      clearInterval(watch)
      this.#close()
    }
  }

  #open(): void {
    const source = new EventSource(this.#options.stream)
    source.addEventListener(this.#options.event, (message) => {
      this.#take(JSON.parse(message.data) as T)
    })
    const { changes } = this.#options
    if (changes) {
      source.addEventListener(changes.event, (message) => {
        const next = this.data && changes.apply(this.data, JSON.parse(message.data))
        if (next) this.#take(next)
        else this.#lose()
      })
    }
    source.addEventListener('open', () => {
      if (this.#options.patience(this.data) === null) this.#heard()
    })
    source.addEventListener('error', () => this.#lose())
    this.#source = source
  }

  #close(): void {
    clearTimeout(this.#retry)
    this.#source?.close()
    this.#source = null
  }

  #take(data: T): void {
    const { version, patience } = this.#options
    const news = this.data === null || version(data) !== version(this.data)
    this.data = data
    if (news || patience(data) === null) this.#heard()
  }

  #heard(): void {
    this.since = new Date()
    this.connection = 'live'
    this.#attempt = 0
  }

  #watch(): void {
    const patience = this.#options.patience(this.data)
    if (this.connection !== 'lost' && patience !== null && Date.now() - this.since.getTime() > patience) this.#lose()
  }

  #lose(): void {
    this.#close()
    this.connection = 'lost'
    this.#retry = setTimeout(() => this.#open(), retryDelay(this.#attempt++))
  }
}
