/**
 * Replaying: a kernel that answers as one answered that was recorded.
 *
 * A request is recognised by its bytes, sequence number and port id apart. What was answered to it
 * comes again, with the asker's own; asked again, it is answered as it was the next time, at the
 * end as it was the last time. What nobody asked then is refused with EOPNOTSUPP.
 */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import { Kernel, type KernelInit } from '../kernel/kernel.ts'
import type { RequestContext } from '../kernel/netlink/context.ts'
import { startDump } from '../kernel/netlink/dump.ts'
import { type Handled, NO_ACK, netlinkRcvSkb } from '../kernel/netlink/rcv.ts'
import {
  MAX_LINKS,
  NETLINK_GENERIC,
  NLM_F_DUMP,
  NLM_F_DUMP_FILTERED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
} from '../wire/constants.ts'
import { MessageWalker, viewOf } from '../wire/message.ts'
import { HOST_LE } from '../wire/order.ts'
import type { Frame } from './frame.ts'

/** Groups of generic families that may be joined: their numbers are as they were recorded. */
const GROUPS = 1024

/** One message of an answer, from its nlmsghdr on. */
interface Message {
  readonly type: number
  readonly flags: number
  readonly bytes: Uint8Array
}

/** One request, and what came of it. */
interface Conversation {
  readonly seq: number
  readonly answers: Message[]
  isOver: boolean
}

/** Bytes of a request as a text, without what differs from asker to asker. */
function keyOf(protocol: number, message: Uint8Array): string {
  const copy = message.slice()
  copy.fill(0, 8, NLMSG_HDRLEN)
  let key = `${protocol}:`
  for (const byte of copy) key += String.fromCharCode(byte)
  return key
}

function* messagesOf(bytes: Uint8Array): Generator<{ walker: MessageWalker; bytes: Uint8Array }> {
  const walker = new MessageWalker(viewOf(bytes))
  while (walker.next()) yield { walker, bytes: bytes.subarray(walker.start, walker.end) }
}

/** What was said, by request. */
class Script {
  readonly #byKey = new Map<string, Conversation[]>()
  readonly #open = new Map<string, Conversation>()
  readonly #next = new Map<string, number>()
  readonly protocols = new Set<number>()

  constructor(frames: Iterable<Frame>) {
    for (const { protocol, toKernel, bytes } of frames) {
      if (protocol >= MAX_LINKS) continue
      for (const message of messagesOf(bytes)) {
        const { seq, type, flags } = message.walker
        if (toKernel) this.#asked(protocol, seq, message.bytes)
        else this.#answered(protocol, seq, { type, flags, bytes: message.bytes.slice() })
      }
    }
  }
  #asked(protocol: number, seq: number, bytes: Uint8Array): void {
    this.protocols.add(protocol)
    const key = keyOf(protocol, bytes)
    const conversation = { seq, answers: [], isOver: false }
    const list = this.#byKey.get(key)
    if (list) list.push(conversation)
    else this.#byKey.set(key, [conversation])
    this.#open.set(`${protocol}:${seq}`, conversation)
  }
  /** Notifications have the sequence number of no request that is open, or come behind its end. */
  #answered(protocol: number, seq: number, message: Message): void {
    const conversation = this.#open.get(`${protocol}:${seq}`)
    if (!conversation || conversation.isOver) return
    conversation.answers.push(message)
    conversation.isOver = message.type === NLMSG_DONE || message.type === NLMSG_ERROR
  }

  /** What is to be said now to that request. */
  find(protocol: number, bytes: Uint8Array): Conversation | undefined {
    const key = keyOf(protocol, bytes)
    const list = this.#byKey.get(key)
    if (!list) return undefined
    const at = this.#next.get(key) ?? 0
    this.#next.set(key, Math.min(at + 1, list.length - 1))
    return list[at]
  }
}

/** One answer as it was, but for whom it is to. */
function readdress({ bytes, type }: Message, seq: number, portid: number): Uint8Array {
  const copy = bytes.slice()
  const view = viewOf(copy)
  view.setUint32(8, seq, HOST_LE)
  view.setUint32(12, portid, HOST_LE)
  // An error repeats the request's header behind its errno.
  if (type === NLMSG_ERROR && copy.length >= NLMSG_HDRLEN + 4 + NLMSG_HDRLEN)
    view.setUint32(NLMSG_HDRLEN + 4 + 8, seq, HOST_LE)
  return copy
}

function answer(script: Script, ctx: RequestContext): Handled {
  const request = new Uint8Array(
    ctx.view.buffer,
    ctx.view.byteOffset + ctx.start,
    ctx.end - ctx.start,
  )
  const found = script.find(ctx.sock.protocol, request)
  if (!found) throw new NetlinkError('EOPNOTSUPP', 'this request was not recorded')
  const first = found.answers[0]
  const isDump = (ctx.flags & NLM_F_DUMP) !== 0 && first && (first.flags & NLM_F_MULTI) !== 0
  if (isDump) return dump(ctx, found)
  for (const each of found.answers)
    ctx.sock.unicast(readdress(each, ctx.seq, ctx.portid), ctx.portid)
  return NO_ACK
}

/** The values of a recorded dump, in datagrams as its reader wants them. */
function dump(ctx: RequestContext, { answers }: Conversation): Handled {
  const values = answers.filter(({ type }) => type !== NLMSG_DONE && type !== NLMSG_ERROR)
  const done = answers.find(({ type }) => type === NLMSG_DONE)
  const errno =
    done && done.bytes.length >= NLMSG_HDRLEN + 4
      ? viewOf(done.bytes).getInt32(NLMSG_HDRLEN, HOST_LE)
      : 0
  return startDump(ctx, {
    name: 'a recording',
    type: values[0]?.type ?? NLMSG_DONE,
    *items() {
      ctx.filtered = answers.some(({ flags }) => (flags & NLM_F_DUMP_FILTERED) !== 0)
      yield* values
      if (errno < 0) throw new NetlinkError(errnoName(errno))
    },
    put(w, item) {
      w.put((item as Message).bytes.subarray(NLMSG_HDRLEN))
    },
  })
}

/**
 * A kernel that answers as it was recorded. Its namespaces and sockets are as ever; what the
 * recording has no request of is as in a kernel that has nothing but `lo`.
 */
export function replayKernel(frames: Iterable<Frame>, init?: KernelInit): Kernel {
  const script = new Script(frames)
  const kernel = new Kernel(init)
  kernel.netlink.changeGroups(NETLINK_GENERIC, GROUPS)
  for (const protocol of script.protocols) {
    const input = (skb: Parameters<typeof netlinkRcvSkb>[0]): void => {
      void netlinkRcvSkb(skb, (ctx) => answer(script, ctx))
    }
    const sock = kernel.netlink.kernelSocket(kernel.initNet, protocol)
    if (sock) sock.input = input
    else kernel.netlink.create(kernel.initNet, protocol, { input })
  }
  return kernel
}
