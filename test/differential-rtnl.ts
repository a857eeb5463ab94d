/**
 * Spoilt requests of rtnetlink, sent to Linux and to nlkit, each in a namespace of its own with the
 * same links: the verdicts must be the same (errno, words, offset, policy), or of a kind that is
 * explained here.
 *
 * Linux has been known to break under such requests: it is asked only where it may.
 */
import { type Netlink, open } from 'nlkit'
import { nlmsgerrAttrs } from 'nlkit/families/nlmsgerr'
import { Kernel } from 'nlkit/kernel'
import { newNetns } from 'nlkit/testing'
import { afNetlink, type Socket } from 'nlkit/transport'
import {
  MessageWalker,
  NETLINK_ROUTE,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_ERROR,
  viewOf,
} from 'nlkit/wire'
import { mutate, type Random } from './mutants.ts'
import { goodRequests } from './rtnl-requests.ts'

const PORTID = 4_200_002
const EAGAIN = -11
/** So many requests share a network: what they change has to be changed alike. */
const ROUND = 250

export interface RtnlDifference {
  readonly linux: string
  readonly nlkit: string
  /** The request in hexadecimal, and those before it that were taken. */
  readonly request: string
  readonly before: readonly string[]
}

export interface RtnlReport {
  readonly asked: number
  readonly refusals: number
  /** Refusals in words. */
  readonly told: number
  readonly explained: ReadonlyMap<string, number>
  readonly differences: readonly RtnlDifference[]
  /** How many there were of each kind: what Linux said, what nlkit said. */
  readonly kinds: ReadonlyMap<string, number>
}

export interface RtnlPlan {
  readonly count: number
  readonly seed: number
  /** Of which objects; all when empty. */
  readonly objects: readonly string[]
  readonly onProgress?: (asked: number) => void
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

/** The network that requests speak of: lo is 1, v0 and v1 a pair with addresses of both families. */
async function furnish(nl: Netlink): Promise<void> {
  await nl.links.set('lo', { up: true })
  await nl.links.add({
    ifname: 'v0',
    kind: 'veth',
    address: '02:00:00:00:00:0a',
    peer: { ifname: 'v1', address: '02:00:00:00:00:0b' },
  })
  await nl.links.set('v0', { up: true })
  await nl.links.set('v1', { up: true })
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  await nl.addresses.add({ link: 'v0', address: 'fd00::1/64', flags: ['nodad'] } as never)
  await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.2' })
}

/** RTA_ENCAP, NHA_ENCAP: what a tunnel is told is not spoilt. */
const ENCAP = new Set([22, 8])
/** IFLA_NET_NS_PID, IFLA_NET_NS_FD: links do not go where processes of this machine are. */
const AWAY = new Set([19, 28])

/** Whether some attribute may be one of `types`. */
function mentions(bytes: Uint8Array, types: ReadonlySet<number>): boolean {
  const view = viewOf(bytes)
  for (let at = 20; at + 4 <= bytes.length; at += 4) {
    const type = view.getUint16(at + 2, true) & 0x3fff
    if (types.has(type) && view.getUint16(at, true) > 4) return true
  }
  return false
}

/** What must not be in a request of `type`: routes and nexthops may be of tunnels, links may leave. */
function forbidden(type: number): ReadonlySet<number> | undefined {
  if ((type >= 24 && type <= 26) || (type >= 104 && type <= 106)) return ENCAP
  return type >= 16 && type <= 19 ? AWAY : undefined
}

/** Keeps every message to the type that was asked, so that nothing else is reached. */
function tame(bytes: Uint8Array, first: Uint8Array): Uint8Array {
  const wanted = viewOf(first).getUint16(4, true)
  const never = forbidden(wanted)
  if (never && mentions(bytes, never)) return first
  const walker = new MessageWalker(viewOf(bytes))
  while (walker.next()) {
    const { view, start, type } = walker
    if (type >= 16 && type !== wanted) view.setUint16(start + 4, wanted, true)
  }
  return bytes
}

/** The verdicts that came: nothing else is compared. */
function verdicts(socket: Socket, request: Uint8Array, buffer: Uint8Array): string {
  const lines: string[] = []
  const sent = socket.send([request])
  if (sent < 0) lines.push(`send ${sent}`)
  for (;;) {
    const length = socket.receive(buffer)
    if (length === EAGAIN) return lines.join('\n')
    if (length < 0) {
      lines.push(`receive ${length}`)
      continue
    }
    const walker = new MessageWalker(viewOf(buffer.subarray(0, length)))
    while (walker.next()) {
      const line = verdict(walker)
      if (line) lines.push(line)
    }
  }
}

function verdict({ type, flags, payload, end, view }: MessageWalker): string | undefined {
  if (type !== NLMSG_ERROR && type !== NLMSG_DONE) return undefined
  const errno = view.getInt32(payload, true)
  const repeated = type === NLMSG_DONE ? 0 : view.getUint32(payload + 4, true)
  const copied = type === NLMSG_DONE ? 0 : flags & NLM_F_CAPPED ? 16 : (repeated + 3) & ~3
  const behind = payload + 4 + copied
  const extack = behind < end ? nlmsgerrAttrs.get(view, behind, end) : {}
  const { msg, offs, policy, missType, missNest } = extack as Record<string, unknown>
  const rest = JSON.stringify({ msg, offs, policy, missType, missNest }, (_, each) =>
    typeof each === 'bigint' ? `${each}` : each,
  )
  return `${type === NLMSG_DONE ? 'done' : 'error'} ${errno} ${rest}`
}

/** A kernel with a fresh network, asked one request after the other. */
interface Asked {
  ask(request: Uint8Array): string
  close(): Promise<void>
}

const options = { extAck: true, strictCheck: true }
const init = { protocol: NETLINK_ROUTE, portid: PORTID, options }

async function linuxSide(transport: ReturnType<typeof afNetlink>): Promise<Asked> {
  const netns = newNetns()
  const nl = await open({ netns })
  await furnish(nl)
  await nl.close()
  const socket = await transport.open({ ...init, netns })
  const buffer = new Uint8Array(65536)
  return {
    ask: (request) => verdicts(socket, request, buffer),
    async close() {
      socket.close()
      netns.close()
    },
  }
}

async function nlkitSide(): Promise<Asked> {
  const kernel = new Kernel()
  // As Linux is asked: not in the first namespace, where more may be set.
  const netns = kernel.addNet()
  const nl = await open({ kernel, netns })
  await furnish(nl)
  await nl.close()
  const socket = await kernel.transport().open({ ...init, netns })
  const buffer = new Uint8Array(65536)
  return {
    ask: (request) => verdicts(socket, request, buffer),
    async close() {
      socket.close()
      await kernel.close()
    },
  }
}

/** The requests of one round after the other. */
function* rounds(plan: RtnlPlan): Generator<{ first: Uint8Array; request: Uint8Array }[]> {
  const random = randomOf(plan.seed)
  const good = goodRequests(plan.objects)
  for (let asked = 0; asked < plan.count; asked += ROUND) {
    yield Array.from({ length: Math.min(ROUND, plan.count - asked) }, () => {
      const first = good[random() % good.length] as Uint8Array
      const request = random() % 8 === 0 ? first : tame(mutate(first, random), first)
      return { first, request }
    })
  }
}

/** What Linux says to all requests of `plan`, a line of JSON for each round, given to `write`. */
export async function recordRtnl(plan: RtnlPlan, write: (line: string) => void): Promise<void> {
  const transport = afNetlink()
  let asked = 0
  try {
    for (const round of rounds(plan)) {
      const linux = await linuxSide(transport)
      write(JSON.stringify(round.map(({ request }) => linux.ask(request))))
      await linux.close()
      asked += round.length
      plan.onProgress?.(asked)
    }
  } finally {
    await transport.close?.()
  }
}

/** Why two verdicts may differ, or undefined. */
function explain(linux: string, nlkit: string): string | undefined {
  for (const [reason, theirs, ours] of REASONS) {
    if (theirs.test(linux) && ours.test(nlkit)) return reason
  }
  return undefined
}

/** What this Linux says, what nlkit says, and why. */
const REASONS: readonly (readonly [reason: string, linux: RegExp, nlkit: RegExp])[] = [
  [
    'Linux 6.18 looks for device-only ways of IPv6 first, 6.12 resolves all before it',
    /^error -/,
    /Device only routes can not be added for IPv6/,
  ],
  [
    'Linux 6.18 says that the protocol is another, 6.12 that there is no such filter',
    /Filter with specified priority\/protocol not found/,
    /Protocol mismatch for filter with specified priority/,
  ],
  ['Linux 6.12.117 bounds txqueuelen, 6.18.44 does not', /"maxValueU":"32767"/, /./],
  [
    'the headers that TCP makes room for depend on how Linux was configured: 192 bytes, or 320',
    /"minValueU":"321"/,
    /"minValueU":"193"/,
  ],
  [
    'Linux lets go of the actions of a filter a moment after the filter is gone',
    /error (-1 \{\}|0 .*Unable to flush all TC actions)/,
    /error 0/,
  ],
]

/** Without what differs from request to request. */
function kindOf(type: number, linux: string, nlkit: string): string {
  const short = (text: string): string =>
    text.replace(/"offs":\d+/g, '"offs":N').split('\n')[0] ?? ''
  return `${type}: ${short(linux) || 'nothing'} | ${short(nlkit) || 'nothing'}`
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/**
 * Asks nlkit what Linux was asked; `recorded` has a line for each round, as `recordRtnl` wrote it.
 * What one kernel took and the other did not would make all that follows differ: the round ends.
 */
export async function differRtnl(plan: RtnlPlan, recorded: readonly string[]): Promise<RtnlReport> {
  const explained = new Map<string, number>()
  const kinds = new Map<string, number>()
  const differences: RtnlDifference[] = []
  const add = (map: Map<string, number>, key: string): void => {
    map.set(key, (map.get(key) ?? 0) + 1)
  }
  const counts = { asked: 0, refusals: 0, told: 0 }
  let number = 0
  for (const round of rounds(plan)) {
    const line = recorded[number++]
    if (line === undefined) break
    const answers = JSON.parse(line) as string[]
    const side = await nlkitSide()
    const before: string[] = []
    for (const [i, { first, request }] of round.entries()) {
      const linux = answers[i] as string
      const nlkit = side.ask(request)
      counts.asked++
      if (/error -/.test(linux)) counts.refusals++
      if (linux.includes('"msg"')) counts.told++
      if (linux === nlkit) {
        if (/error 0/.test(linux)) before.push(hexOf(request))
        continue
      }
      const reason = explain(linux, nlkit)
      if (reason) add(explained, reason)
      else {
        add(kinds, kindOf(viewOf(first).getUint16(4, true), linux, nlkit))
        if (differences.length < 2000) {
          differences.push({ linux, nlkit, request: hexOf(request), before: [...before] })
        }
      }
      if (/(error|done) 0/.test(linux) !== /(error|done) 0/.test(nlkit)) break
    }
    await side.close()
    plan.onProgress?.(counts.asked)
  }
  return { ...counts, explained, differences, kinds }
}
