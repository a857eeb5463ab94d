/**
 * The conversation before the first message: who the client is, and whether descriptors may travel.
 *
 * A state machine over lines, as the reference's server (dbus-daemon, dbus/dbus-auth.c); it knows no
 * sockets.
 */

export type Mechanism = 'EXTERNAL' | 'ANONYMOUS'

/** What the reference offers, in its order; of these we have no shared-cookie mechanism. */
export const MECHANISMS: readonly Mechanism[] = ['EXTERNAL', 'ANONYMOUS']

/** Bytes of a client that has not yet sent a whole line. */
export const MAX_BUFFERED = 16 * 1024
/** So many refusals end the conversation. */
const MAX_FAILURES = 6

export interface SaslOptions {
  /** 32 hexadecimal digits. */
  readonly guid: string
  readonly mechanisms: readonly Mechanism[]
  /** The client's user, as the operating system says. */
  readonly uid: number | undefined
  /** Whether descriptors could travel. */
  readonly canPassFds: boolean
}

type State = 'auth' | 'data' | 'begin' | 'done' | 'failed'

const HEX = /^([\da-fA-F]{2})*$/

function fromHex(text: string): string | undefined {
  if (!HEX.test(text)) return undefined
  const bytes = Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return new TextDecoder('latin1').decode(bytes)
}

export class Sasl {
  readonly #options: SaslOptions
  #state: State = 'auth'
  #mechanism: Mechanism | undefined
  #identity = ''
  #hasAsked = false
  #failures = 0
  /** Descriptors travel from BEGIN on. */
  passesFds = false
  /** The client gave no identity. */
  isAnonymous = false

  constructor(options: SaslOptions) {
    this.#options = options
  }

  /** BEGIN was said: messages follow. */
  get isDone(): boolean {
    return this.#state === 'done'
  }
  /** The client is to be hung up on. */
  get hasFailed(): boolean {
    return this.#state === 'failed'
  }

  /** Takes in a line, without its end; the answer with its own, or '' for none. */
  take(line: string): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line is ASCII
    if (/[^\x01-\x7f]/.test(line)) return error('Command contained non-ASCII')
    const blank = line.search(/[ \t]/)
    const command = blank < 0 ? line : line.slice(0, blank)
    const rest = blank < 0 ? '' : line.slice(blank).replace(/^[ \t]+/, '')
    switch (command) {
      case 'AUTH':
        return this.#auth(rest)
      case 'DATA':
        return this.#data(rest)
      case 'CANCEL':
        if (this.#state === 'auth') return error('Not currently in an auth conversation')
        return this.#reject()
      case 'ERROR':
        return this.#reject()
      case 'BEGIN':
        this.#state = this.#state === 'begin' ? 'done' : 'failed'
        return ''
      case 'NEGOTIATE_UNIX_FD':
        return this.#negotiate()
      default:
        return error('Unknown command')
    }
  }

  #negotiate(): string {
    if (this.#state !== 'begin') return error('Need to authenticate first')
    if (!this.#options.canPassFds)
      return error('Unix FD passing not supported, not authenticated or otherwise not possible')
    this.passesFds = true
    return 'AGREE_UNIX_FD\r\n'
  }

  #auth(rest: string): string {
    if (this.#state === 'data') return error('Sent AUTH while another AUTH in progress')
    if (this.#state === 'begin') return error('Sent AUTH while expecting BEGIN')
    const blank = rest.search(/[ \t]/)
    const name = blank < 0 ? rest : rest.slice(0, blank)
    const response = blank < 0 ? '' : rest.slice(blank).replace(/^[ \t]+/, '')
    this.#mechanism = this.#options.mechanisms.find((mechanism) => mechanism === name)
    return this.#mechanism ? this.#process(response) : this.#reject()
  }

  #data(rest: string): string {
    if (this.#state === 'auth') return error('Not currently in an auth conversation')
    if (this.#state === 'begin') return error('Sent DATA while expecting BEGIN')
    return this.#process(rest)
  }

  #process(hex: string): string {
    const text = fromHex(hex)
    if (text === undefined) return error('Invalid hex encoding')
    return this.#mechanism === 'ANONYMOUS' ? this.#accept(true) : this.#external(text)
  }

  #external(text: string): string {
    const { uid } = this.#options
    if (uid === undefined) return this.#reject()
    if (text !== '' && this.#identity !== '') return this.#reject()
    this.#identity += text
    if (this.#identity === '' && !this.#hasAsked) {
      this.#hasAsked = true
      this.#state = 'data'
      return 'DATA\r\n'
    }
    const isOwn = this.#identity === '' || this.#identity === String(uid)
    return isOwn ? this.#accept(false) : this.#reject()
  }

  #accept(isAnonymous: boolean): string {
    this.isAnonymous = isAnonymous
    this.#state = 'begin'
    return `OK ${this.#options.guid}\r\n`
  }

  #reject(): string {
    this.#mechanism = undefined
    this.#identity = ''
    this.#hasAsked = false
    this.passesFds = false
    this.#failures++
    this.#state = this.#failures >= MAX_FAILURES ? 'failed' : 'auth'
    return `REJECTED${this.#options.mechanisms.map((name) => ` ${name}`).join('')}\r\n`
  }
}

function error(text: string): string {
  return `ERROR "${text}"\r\n`
}
