/** A kernel that answers from a recording: what Linux sent, and what iproute2 said of it. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Socket, Transport } from 'nlkit/transport'
import { HOST_LE } from 'nlkit/wire'

/** Answers to a request of one type, whose header is `header`. */
interface Answer {
  readonly type: number
  /** Of the request, behind its nlmsghdr: hex. */
  readonly header: string
  /** Of the request, behind its header: hex. */
  readonly attrs: string
  readonly messages: readonly string[]
}

/** A recording. */
export interface Recording {
  readonly kernel: string
  readonly iproute2: string
  readonly answers: readonly Answer[]
  /** Command lines of ip and tc, and what they printed at that moment. */
  readonly told: readonly { readonly argv: string; readonly stdout: string }[]
}

/** Why recordings cannot be read here. */
export const skipReplay = HOST_LE ? false : 'the bytes were recorded on a little-endian machine'

export function readRecording(name: string): Recording {
  const file = new URL(`../../test/golden/iproute2/${name}.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Recording
}

const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_MULTI = 2
const NLM_F_DUMP = 0x300
const NLMSG_HDRLEN = 16
const EAGAIN = 11
const ENODEV = 19
const AF_BRIDGE = 7
const RTM_GETLINK = 18
const RTM_GETNEIGH = 30
const RTM_GETTCLASS = 42
const RTM_GETSTATS = 94
const RTM_GETVLAN = 114
const RTM_GETTFILTER = 46

/** What of a request's header, and of what is behind it, decides the answer. */
function keyOf(type: number, header: Buffer): string {
  if (type === RTM_GETNEIGH) return `${header[0]} ${header[10]! & 8}`
  if (type === RTM_GETTCLASS) return header.subarray(4, 8).toString('hex')
  if (type === RTM_GETTFILTER)
    return `${header.subarray(4, 8).toString('hex')} ${header.subarray(12, 16).toString('hex')}`
  if (type === RTM_GETSTATS) return `${header[0]} ${header.readUInt32LE(8)}`
  if (type === RTM_GETVLAN) return header.subarray(8).toString('hex')
  if (type === RTM_GETLINK && header[0] === AF_BRIDGE) return header.subarray(16).toString('hex')
  return String(header[0])
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

/** Messages for a dump: of the very request, or of all families and then only its own. */
function dumped({ answers }: Recording, type: number, header: Buffer): Buffer[] {
  const all = answers.filter((answer) => answer.type === type)
  const key = keyOf(type, header)
  const exact = all.find((answer) => keyOf(type, bytesOf(answer.header + answer.attrs)) === key)
  const like =
    exact ??
    all.find(({ header: known }) => bytesOf(known)[0] === AF_BRIDGE && header[0] === AF_BRIDGE)
  if (like) return like.messages.map(bytesOf)
  if (type === RTM_GETTCLASS || type === RTM_GETTFILTER) return []
  const flags = type === RTM_GETNEIGH ? ` ${header[10]! & 8}` : ''
  const any = all.find(
    ({ header: known }) => keyOf(type, bytesOf(known)) === `0${flags}` || type === RTM_GETSTATS,
  )
  const messages = (any?.messages ?? []).map(bytesOf)
  return header[0] === 0 ? messages : messages.filter((m) => m[NLMSG_HDRLEN] === header[0])
}

/** The link that RTM_GETLINK names, by its index or by a name. */
function link(recording: Recording, body: Buffer): Buffer | undefined {
  const ifindex = body.readInt32LE(4)
  const messages = dumped(recording, RTM_GETLINK, Buffer.alloc(16))
  if (ifindex !== 0) return messages.find((m) => m.readInt32LE(NLMSG_HDRLEN + 4) === ifindex)
  const attribute = body.subarray(16, 16 + body.readUInt16LE(16))
  return messages.find((m) => m.includes(attribute.subarray(2)))
}

function message(type: number, flags: number, seq: number, body: Buffer): Buffer {
  const header = Buffer.alloc(NLMSG_HDRLEN)
  header.writeUInt32LE(NLMSG_HDRLEN + body.length, 0)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt32LE(seq, 8)
  return Buffer.concat([header, body])
}

function answer(recording: Recording, request: Buffer): Buffer[] {
  const type = request.readUInt16LE(4)
  const flags = request.readUInt16LE(6)
  const seq = request.readUInt32LE(8)
  const body = request.subarray(NLMSG_HDRLEN)
  if ((flags & NLM_F_DUMP) === 0) {
    const found = type === RTM_GETLINK ? link(recording, body) : undefined
    if (found) return [message(found.readUInt16LE(4), 0, seq, found.subarray(NLMSG_HDRLEN))]
    const error = Buffer.alloc(20)
    error.writeInt32LE(-ENODEV, 0)
    request.copy(error, 4, 0, NLMSG_HDRLEN)
    return [message(NLMSG_ERROR, 0, seq, error)]
  }
  const items = dumped(recording, type, body).map((m) =>
    message(m.readUInt16LE(4), NLM_F_MULTI, seq, m.subarray(NLMSG_HDRLEN)),
  )
  return [...items, message(NLMSG_DONE, NLM_F_MULTI, seq, Buffer.alloc(4))]
}

class ReplaySocket implements Socket {
  readonly portid = 1
  readonly senderPortid = 0
  readonly senderGroup = 0
  readonly senderNsid = -1
  readonly receiveBuffer = 1 << 20
  readonly protocol: number
  readonly #recording: Recording
  readonly #queue: Buffer[] = []

  constructor(recording: Recording, protocol: number) {
    this.#recording = recording
    this.protocol = protocol
  }

  send(parts: readonly Uint8Array[]): number {
    const request = Buffer.concat(parts)
    for (let at = 0; at + NLMSG_HDRLEN <= request.length; ) {
      const length = request.readUInt32LE(at)
      this.#queue.push(...answer(this.#recording, request.subarray(at, at + length)))
      at += (length + 3) & ~3
    }
    return request.length
  }
  receive(buffer: Uint8Array): number {
    const next = this.#queue.shift()
    if (!next) return -EAGAIN
    buffer.set(next.subarray(0, buffer.length))
    return next.length
  }
  readable(signal?: AbortSignal): Promise<void> {
    if (this.#queue.length > 0) return Promise.resolve()
    return new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
    )
  }
  async attachFilter(): Promise<void> {}
  async setOption(): Promise<void> {}
  async join(): Promise<void> {}
  async leave(): Promise<void> {}
  close(): void {}
}

/** What `open({ kernel })` takes. */
export function replay(recording: Recording): { transport(): Transport } {
  return {
    transport: () => ({ open: async ({ protocol }) => new ReplaySocket(recording, protocol) }),
  }
}
