/**
 * Spoilt requests of generic netlink, sent to Linux and to a kernel of nlkit's that has the same
 * families: what they answer must be the same, byte for byte, or of a kind that is explained here.
 *
 * Every message keeps the type of the family that is asked, or of none: what is spoilt reaches nobody
 * else. Linux is asked in a namespace of its own.
 */
import { type Netlink, open } from 'nlkit'
import { nlctrl } from 'nlkit/families/nlctrl'
import { nlmsgerrAttrs } from 'nlkit/families/nlmsgerr'
import { Kernel } from 'nlkit/kernel'
import { type Mirror, mirrorFamilies, newNetns } from 'nlkit/testing'
import { afNetlink, type Socket } from 'nlkit/transport'
import {
  GENL_ID_CTRL,
  MessageWalker,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_CAPPED,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  viewOf,
  Writer,
} from 'nlkit/wire'
import { registerMirrors } from './genl-mirror.ts'
import { mutate, type Random } from './mutants.ts'

const PORTID = 4_200_001
const EAGAIN = -11

/** A difference between the kernels, with what it was caused by. */
export interface Difference {
  readonly linux: string
  readonly nlkit: string
  /** The request in hexadecimal. */
  readonly request: string
}

/** What came of a run. */
export interface Report {
  readonly asked: number
  /** Datagrams that came in answer. */
  readonly answers: number
  /** Requests whose refusal had an extack. */
  readonly explainedRefusals: number
  /** What both have their reasons for, by the reason. */
  readonly explained: ReadonlyMap<string, number>
  readonly differences: readonly Difference[]
}

/** xorshift32. */
function randomOf(seed: number): Random {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

/** Good requests to nlctrl: by name, by number, dumps, policies, and nonsense. */
function nlctrlRequests(names: readonly string[], ids: readonly number[]): Uint8Array[] {
  const all: Uint8Array[] = []
  const add = (flags: number, cmd: number, body: (w: Writer) => void): void => {
    all.push(message(GENL_ID_CTRL, flags, cmd, body))
  }
  const ask = NLM_F_REQUEST | NLM_F_ACK
  const dump = NLM_F_REQUEST | NLM_F_DUMP
  const op = (w: Writer, number: number): void => w.attrU32(10, number)
  for (const [i, name] of names.entries()) {
    add(ask, 3, (w) => w.attrString(2, name))
    add(dump, 10, (w) => {
      w.attrString(2, name)
      op(w, i)
    })
  }
  for (const id of ids) {
    add(ask, 3, (w) => w.attrBytes(1, Uint8Array.of(id & 255, id >> 8)))
    add(dump | NLM_F_ACK, 10, (w) => {
      w.attrBytes(1, Uint8Array.of(id & 255, id >> 8))
      op(w, id % 16)
    })
  }
  add(dump, 3, () => {})
  add(NLM_F_REQUEST, 3, () => {})
  for (let cmd = 0; cmd < 13; cmd++) add(ask, cmd, (w) => w.attrString(2, 'nlctrl'))
  return all
}

function message(type: number, flags: number, cmd: number, body: (w: Writer) => void): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(type, flags, 7, 0)
  w.u32(cmd | 0x0100)
  body(w)
  w.messageEnd(mark)
  return w.finish()
}

/** Good requests to a family, by its live policies: each attribute with a plausible payload. */
function familyRequests({ info, family }: Mirror): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const { cmd, do: asked, dump } of Object.values(family.ops)) {
    for (const [kind, flags] of [
      [asked, NLM_F_REQUEST | NLM_F_ACK],
      [dump, NLM_F_REQUEST | NLM_F_DUMP],
    ] as const) {
      if (!kind) continue
      const entries = kind.request?.attrs?.shape.table.entries ?? []
      for (const sizes of [[4], [8], [1, 2, 16]]) {
        all.push(
          message(info.familyId, flags, cmd, (w) => {
            for (const [i, { id }] of entries.entries())
              w.attrBytes(id, new Uint8Array(sizes[i % sizes.length] as number).fill(1, 0, 1))
          }),
        )
      }
    }
  }
  return all
}

/** Where requests may go. */
interface Bounds {
  readonly target: number
  /** Ids of families that there are. */
  readonly taken: ReadonlySet<number>
  /** Commands of the target that are not asked. */
  readonly barred: ReadonlySet<number>
}

/** Keeps every message that a kernel would see away from other families, and from what is barred. */
function tame(bytes: Uint8Array, { target, taken, barred }: Bounds): Uint8Array {
  const walker = new MessageWalker(viewOf(bytes))
  while (walker.next()) {
    const { view, start, payload, end } = walker
    if (walker.type >= 16 && walker.type !== target && taken.has(walker.type))
      view.setUint16(start + 4, target, true)
    if (payload < end && barred.has(view.getUint8(payload))) view.setUint8(payload, 1)
  }
  return bytes
}

/** What has no dump may change something. */
function changing(mirror: Mirror | undefined): ReadonlySet<number> {
  const ops = Object.values(mirror?.family.ops ?? {})
  return new Set(ops.filter(({ dump }) => !dump).map(({ cmd }) => cmd))
}

function answersOf(socket: Socket, request: Uint8Array, buffer: Uint8Array): Uint8Array[] {
  const sent = socket.send([request])
  const all: Uint8Array[] = sent < 0 ? [errnoBytes(sent)] : []
  for (;;) {
    const length = socket.receive(buffer)
    if (length === EAGAIN) return all
    all.push(length < 0 ? errnoBytes(length) : buffer.slice(0, length))
  }
}

function errnoBytes(errno: number): Uint8Array {
  return Uint8Array.from(`errno ${errno}`, (letter) => letter.charCodeAt(0))
}

/** Answers in words: verdicts with their extacks, what else came in hexadecimal. */
function words(answers: readonly Uint8Array[]): string {
  const lines: string[] = []
  for (const bytes of answers) {
    const walker = new MessageWalker(viewOf(bytes))
    while (walker.next())
      lines.push(
        verdict(walker) ??
          `${walker.type} ${walker.flags} ${hexOf(bytes.subarray(walker.payload, walker.end))}`,
      )
    lines.push('.')
  }
  return lines.join('\n')
}

function verdict({ type, flags, seq, payload, end, view }: MessageWalker): string | undefined {
  if (type !== NLMSG_ERROR && type !== NLMSG_DONE) return undefined
  const errno = view.getInt32(payload, true)
  const repeated = type === NLMSG_DONE ? 0 : view.getUint32(payload + 4, true)
  const copied = type === NLMSG_DONE ? 0 : flags & NLM_F_CAPPED ? 16 : (repeated + 3) & ~3
  const behind = payload + 4 + copied
  const extack = behind < end ? nlmsgerrAttrs.get(view, behind, end) : {}
  return `${type === NLMSG_DONE ? 'done' : 'error'} ${errno} flags ${flags} seq ${seq} ${JSON.stringify(extack, (_, each) => (typeof each === 'bigint' ? `${each}` : each))}`
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i] as Uint8Array) === 0)

/** What a family's own handler says is its own: the mirror has none. */
const MIRROR_HANDLER = 'the mirror has no handler'

export interface Plan {
  /** `nlctrl`, or a family whose operations are mirrored. */
  readonly family: string
  readonly count: number
  readonly seed: number
  /** Judged leniently by Linux, which nlctrl does not tell. */
  readonly isLiberal?: boolean
  /** Only commands that can be dumped too, which change nothing, and those that there are not. */
  readonly isReading?: boolean
  readonly onProgress?: (asked: number) => void
}

/** The two kernels, asked over one socket each. */
async function withKernels<T>(
  plan: Plan,
  body: (linux: Socket, nlkit: Socket, mirrors: readonly Mirror[]) => T,
): Promise<T> {
  const netns = newNetns()
  const transport = afNetlink()
  const [outer, inner] = [await open(), await open({ netns })]
  await using kernel = new Kernel()
  try {
    const mirrors = (await mirrorFamilies(outer)).map((mirror) => adapt(mirror, plan))
    const shown = new Set(
      (await (await inner.family(nlctrl)).dump('getFamily').toArray()).map((each) => each.familyId),
    )
    const seen = mirrors.map((mirror) =>
      shown.has(mirror.info.familyId)
        ? mirror
        : { ...mirror, options: { ...mirror.options, netnsok: false } },
    )
    registerMirrors(kernel, seen)
    const init = { protocol: NETLINK_GENERIC, portid: PORTID, options: { extAck: true } }
    const linux = await transport.open({ ...init, netns })
    const nlkit = await kernel.transport().open({ ...init, netns: kernel.addNet() })
    try {
      return body(linux, nlkit, seen)
    } finally {
      linux.close()
      nlkit.close()
    }
  } finally {
    await closeAll([outer, inner])
    await transport.close?.()
    netns.close()
  }
}

async function closeAll(clients: readonly Netlink[]): Promise<void> {
  for (const client of clients) await client.close()
}

/** The family that is asked: lenient where Linux is. */
function adapt(mirror: Mirror, { family, isLiberal }: Plan): Mirror {
  if (mirror.info.familyName !== family || !isLiberal) return mirror
  const handlers = Object.fromEntries(
    Object.entries(mirror.handlers).map(([op, handler]) => [
      op,
      { ...handler, ...(handler?.validate ? {} : { validate: 'liberal' as const }) },
    ]),
  )
  return { ...mirror, handlers }
}

/** A verdict's extack: a warning of a lenient parse stays whatever the handler says. */
function extackOf(line: string): string {
  return line.replace(/^\w+ -?\d+ flags \d+ seq \d+ /, '')
}

/** Why two answers may differ, or undefined. */
function reasonFor(plan: Plan, linux: string, nlkit: string): string | undefined {
  if (plan.family === nlctrl.name) return undefined
  const isPolicy = /policy|attribute|NLA_F_NESTED|leftover|out of range|reserved|ambiguous/
  const ours = nlkit.split('\n')
  const theirs = linux.split('\n')
  const at = ours.findIndex((line, i) => line !== theirs[i])
  const line = ours[at] ?? ''
  const other = theirs[at] ?? ''
  const reachedHandler = line.startsWith('error -95') || line.startsWith('done 0')
  const isSameText = extackOf(line) === extackOf(other)
  if (reachedHandler && (isSameText || !isPolicy.test(other))) return MIRROR_HANDLER
  return undefined
}

/** Asks `plan.count` times. @throws where this machine has no namespaces, or no such family. */
export function differ(plan: Plan): Promise<Report> {
  return withKernels(plan, (linux, nlkit, mirrors) => {
    const random = randomOf(plan.seed)
    const taken = new Set([GENL_ID_CTRL, ...mirrors.map(({ info }) => info.familyId)])
    const mirror = mirrors.find(({ info }) => info.familyName === plan.family)
    if (!mirror && plan.family !== nlctrl.name) throw new Error(`this kernel has no ${plan.family}`)
    const target = mirror?.info.familyId ?? GENL_ID_CTRL
    const bounds = { target, taken, barred: plan.isReading ? changing(mirror) : new Set<number>() }
    const names = ['nlctrl', 'nobody', ...mirrors.map(({ info }) => info.familyName)]
    const good = mirror ? familyRequests(mirror) : nlctrlRequests(names, [...taken, 15, 900])
    const buffer = new Uint8Array(65536)
    const explained = new Map<string, number>()
    const differences: Difference[] = []
    let answers = 0
    let explainedRefusals = 0
    for (let asked = 0; asked < plan.count; asked++) {
      const first = good[random() % good.length] as Uint8Array
      const request = tame(
        asked < good.length ? (good[asked] as Uint8Array) : mutate(first, random),
        bounds,
      )
      const theirs = answersOf(linux, request, buffer)
      const ours = answersOf(nlkit, request, buffer)
      answers += theirs.length
      if (theirs.some((bytes) => bytes.length > 4 && (bytes[7] ?? 0) & 2)) explainedRefusals++
      if (!same(theirs, ours)) {
        const [left, right] = [words(theirs), words(ours)]
        const reason = reasonFor(plan, left, right)
        if (reason) explained.set(reason, (explained.get(reason) ?? 0) + 1)
        else if (differences.length < 50)
          differences.push({ linux: left, nlkit: right, request: hexOf(request) })
      }
      if (asked % 10_000 === 9_999) plan.onProgress?.(asked + 1)
    }
    return { asked: plan.count, answers, explainedRefusals, explained, differences }
  })
}
