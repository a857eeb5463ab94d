/** What nlctrl tells unasked: families that come and go. */
import { nlctrl } from '../families/nlctrl.ts'
import type { Reply } from '../schema/index.ts'
import type { Socket } from '../transport/transport.ts'
import {
  GENL_HDRLEN,
  GENL_ID_CTRL,
  MessageWalker,
  NETLINK_GENERIC,
  NLMSG_OVERRUN,
  viewOf,
} from '../wire/index.ts'
import { EAGAIN, ENOBUFS } from './receiver.ts'
import { openSocket, type Session } from './session.ts'

type Description = Reply<typeof nlctrl, 'getFamily'>

/** nlctrl's one group has the number of nlctrl itself. */
export const NLCTRL_GROUP: number = GENL_ID_CTRL
/** A family of a thousand operations and groups is told in fewer bytes. */
const BUFFER_SIZE = 65_536

/** Who wants to know. */
export interface Listener {
  came(family: Description): void
  went(name: string): void
  /** Some of it was lost. */
  lost(): void
}

/** Reads one message of nlctrl's group; others are left alone. */
export function readNews(m: MessageWalker, { came, went }: Pick<Listener, 'came' | 'went'>): void {
  if (m.type !== GENL_ID_CTRL || m.end - m.payload < GENL_HDRLEN) return
  const { newFamily, delFamily } = nlctrl.notifications
  const cmd = m.view.getUint8(m.payload)
  if (cmd !== newFamily.cmd && cmd !== delFamily.cmd) return
  const family = newFamily.body.decode(m.view, m.payload + GENL_HDRLEN, m.end)
  if (cmd === newFamily.cmd) came(family)
  else went(family.familyName)
}

/** Hears of them on a socket that is read when somebody asks, and keeps nothing alive. */
export class FamilyNews {
  readonly #session: Session
  readonly #listener: Listener
  readonly #walker = new MessageWalker(viewOf(new Uint8Array(0)))
  #buffer: Uint8Array | undefined
  #opening: Promise<void> | undefined
  #socket: Socket | undefined
  #isClosed = false

  constructor(session: Session, listener: Listener) {
    this.#session = session
    this.#listener = listener
  }

  /** Joins the group. Where that is refused nothing is heard, and stale numbers are found in use. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch(() => {})
    return this.#opening
  }

  async #open(): Promise<void> {
    const init = { protocol: NETLINK_GENERIC, groups: [NLCTRL_GROUP], options: {} }
    const socket = await openSocket(this.#session, init)
    if (this.#isClosed) socket.close()
    else this.#socket = socket
  }

  /** Tells the listener all that has come. */
  read(): void {
    const socket = this.#socket
    if (!socket) return
    this.#buffer ??= new Uint8Array(BUFFER_SIZE)
    for (;;) {
      const size = socket.receive(this.#buffer)
      if (size >= 0 && size <= BUFFER_SIZE) {
        if (socket.senderPortid === 0) this.#datagram(this.#buffer, size)
        continue
      }
      if (size === EAGAIN) return
      this.#listener.lost()
      if (size < 0 && size !== ENOBUFS) {
        this.close()
        return
      }
    }
  }

  #datagram(buffer: Uint8Array, size: number): void {
    const walker = this.#walker.reset(viewOf(buffer), size)
    try {
      while (walker.next()) {
        if (walker.type === NLMSG_OVERRUN) this.#listener.lost()
        else readNews(walker, this.#listener)
      }
    } catch {
      this.#listener.lost()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#socket?.close()
    this.#socket = undefined
  }
}
