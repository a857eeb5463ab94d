/** Netlink by hand, for behaviours below the client: requests as bytes, answers as headers. */

import type { Socket } from 'nlkit/transport'
import { MessageWalker, NLMSG_DONE, NLMSG_ERROR, viewOf, Writer } from 'nlkit/wire'

/** One received message, copied out of its datagram. */
export interface RawMessage {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly portid: number
  readonly payload: Uint8Array
}
/** One received datagram. */
export interface Datagram {
  readonly bytes: Uint8Array
  readonly messages: readonly RawMessage[]
  readonly from: number
  readonly group: number
}

/** The bytes of a request; `body` writes what follows nlmsghdr. */
export function request(
  type: number,
  flags: number,
  seq: number,
  body?: (w: Writer) => void,
): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(type, flags, seq, 0)
  body?.(w)
  w.messageEnd(mark)
  return w.finish()
}

/** The next datagram, waited for. */
export async function next(socket: Socket, size = 65536): Promise<Datagram> {
  const buffer = new Uint8Array(size)
  for (;;) {
    const length = socket.receive(buffer)
    if (length >= 0) return datagram(socket, buffer.slice(0, Math.min(length, size)))
    if (length !== -11) throw Object.assign(new Error(`receive: ${length}`), { errno: length })
    await socket.readable(AbortSignal.timeout(5000))
  }
}

/** What is queued right now; an errno in place of a datagram as its negative number. */
export function queued(socket: Socket, size = 65536): (Datagram | number)[] {
  const buffer = new Uint8Array(size)
  const all: (Datagram | number)[] = []
  for (;;) {
    const length = socket.receive(buffer)
    if (length === -11) return all
    all.push(length < 0 ? length : datagram(socket, buffer.slice(0, Math.min(length, size))))
  }
}

function datagram(socket: Socket, bytes: Uint8Array): Datagram {
  return { bytes, messages: split(bytes), from: socket.senderPortid, group: socket.senderGroup }
}

/** The messages of a datagram. */
export function split(bytes: Uint8Array): RawMessage[] {
  const walker = new MessageWalker(viewOf(bytes))
  const messages: RawMessage[] = []
  while (walker.next()) {
    const { type, flags, seq, portid, payload, end } = walker
    messages.push({ type, flags, seq, portid, payload: bytes.slice(payload, end) })
  }
  return messages
}

/** Sends, then reads until the answer to `seq` is whole: an error, an ack, or the end of a dump. */
export async function ask(
  socket: Socket,
  bytes: Uint8Array,
  seq: number,
  size = 65536,
): Promise<Datagram[]> {
  const sent = socket.send([bytes])
  if (sent < 0) throw Object.assign(new Error(`send: ${sent}`), { errno: sent })
  const answers: Datagram[] = []
  for (;;) {
    const each = await next(socket, size)
    answers.push(each)
    const over = (m: RawMessage) =>
      m.seq === seq && (m.type === NLMSG_DONE || m.type === NLMSG_ERROR)
    if (each.messages.some(over)) return answers
  }
}

/** The errno of NLMSG_ERROR and NLMSG_DONE, the type of the rest: one line of a transcript. */
export function outline(socket: Socket, messages: readonly RawMessage[]): string[] {
  return messages.map((m) => {
    const whose = m.portid === socket.portid ? 'me' : String(m.portid)
    const verdict =
      m.type === NLMSG_ERROR || m.type === NLMSG_DONE
        ? ` errno ${viewOf(m.payload).getInt32(0, true)}`
        : ''
    return `type ${m.type} flags 0x${m.flags.toString(16)} seq ${m.seq} to ${whose}${verdict}`
  })
}
