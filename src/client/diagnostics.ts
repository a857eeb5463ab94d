/**
 * What passes, for those who look: diagnostics channels, and a line a datagram with
 * NODE_DEBUG=nlkit. Nothing where the runtime has neither, as in a browser.
 */
import { errnoName } from '../errno.ts'
import { MessageWalker, viewOf } from '../wire/index.ts'

/** What `nlkit:send` and `nlkit:receive` publish. */
export interface DatagramReport {
  readonly protocol: number
  /** Our socket's address. */
  readonly portid: number
  /** A copy of the datagram, cut where it did not fit. */
  readonly bytes: Uint8Array
  /** Who sent it, and through which group (0: unicast); of what was received. */
  readonly senderPortid?: number
  readonly group?: number
}
/** What `nlkit:overrun` publishes. */
export interface OverrunReport {
  readonly protocol: number
  readonly portid: number
  /** Who could not keep up: the socket, or the program that reads the events. */
  readonly source: 'kernel' | 'iterator'
}

interface Channel {
  readonly hasSubscribers: boolean
  publish(report: unknown): void
}
type DebugLog = ((text: string) => void) & { readonly enabled: boolean }
interface Runtime {
  getBuiltinModule?(name: string): unknown
}

/** The part of a socket that reports name. */
interface Where {
  readonly protocol: number
  readonly portid: number
}

const mute: Channel = { hasSubscribers: false, publish() {} }

/** Where datagrams are reported; `isOn` is asked before each. */
export class Tap {
  readonly #send: Channel
  readonly #receive: Channel
  readonly #overrun: Channel
  readonly #debug: DebugLog | undefined

  constructor() {
    const { process } = globalThis as { process?: Runtime }
    const load = <T>(name: string) => process?.getBuiltinModule?.(name) as T | undefined
    const channels = load<{ channel(name: string): Channel }>('node:diagnostics_channel')
    const debug = load<{ debuglog(set: string): DebugLog }>('node:util')?.debuglog('nlkit')
    this.#send = channels?.channel('nlkit:send') ?? mute
    this.#receive = channels?.channel('nlkit:receive') ?? mute
    this.#overrun = channels?.channel('nlkit:overrun') ?? mute
    this.#debug = debug?.enabled ? debug : undefined
  }

  /** Whether anybody looks at datagrams. */
  get isOn(): boolean {
    return this.#send.hasSubscribers || this.#receive.hasSubscribers || this.#debug !== undefined
  }
  sent({ protocol, portid }: Where, parts: readonly Uint8Array[]): void {
    const bytes = join(parts)
    if (this.#send.hasSubscribers)
      this.#send.publish({ protocol, portid, bytes } satisfies DatagramReport)
    this.#debug?.(`send protocol ${protocol} port ${portid} ${outline(bytes, bytes.length)}`)
  }
  /** `size` is the datagram's own, which may be more than arrived; or a negative errno. */
  received(
    socket: Where & { readonly senderPortid: number; readonly senderGroup: number },
    buffer: Uint8Array,
    size: number,
  ): void {
    const { protocol, portid, senderPortid, senderGroup: group } = socket
    const where = `receive protocol ${protocol} port ${portid}`
    if (size < 0) {
      this.#debug?.(`${where} ${errnoName(size)}`)
      return
    }
    const bytes = buffer.slice(0, Math.min(size, buffer.length))
    if (this.#receive.hasSubscribers) {
      this.#receive.publish({
        protocol,
        portid,
        bytes,
        senderPortid,
        group,
      } satisfies DatagramReport)
    }
    const from = group ? `group ${group}` : `from ${senderPortid}`
    this.#debug?.(`${where} ${from} ${outline(bytes, size)}`)
  }
  overran({ protocol, portid }: Where, source: OverrunReport['source']): void {
    if (this.#overrun.hasSubscribers)
      this.#overrun.publish({ protocol, portid, source } satisfies OverrunReport)
    this.#debug?.(`overrun protocol ${protocol} port ${portid} ${source}`)
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Messages that a line shows before it ends in an ellipsis. */
const SHOWN = 4

/** The headers of a datagram in a few words. */
function outline(bytes: Uint8Array, size: number): string {
  const walker = new MessageWalker(viewOf(bytes))
  const words: string[] = []
  while (words.length < SHOWN && walker.next()) {
    const { type, flags, seq } = walker
    words.push(`type ${type} flags 0x${flags.toString(16)} seq ${seq}`)
  }
  if (walker.next()) words.push('…')
  return `${size} bytes: ${words.join(', ')}`
}
