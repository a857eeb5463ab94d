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
const ENCAP_TYPES = new Set([22, 8])

/** Whether some attribute may be of a tunnel. */
function mentionsTunnel(bytes: Uint8Array): boolean {
  const view = viewOf(bytes)
  for (let at = 28; at + 4 <= bytes.length; at += 4) {
    const type = view.getUint16(at + 2, true) & 0x3fff
    if (ENCAP_TYPES.has(type) && view.getUint16(at, true) > 4) return true
  }
  return false
}

/** Keeps every message to the type that was asked, so that nothing else is reached. */
function tame(bytes: Uint8Array, first: Uint8Array): Uint8Array {
  const wanted = viewOf(first).getUint16(4, true)
  if (mentionsTunnel(bytes)) return first
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

/** Both kernels with a fresh network each. */
interface Pair {
  readonly linux: Socket
  readonly nlkit: Socket
  close(): Promise<void>
}

async function fresh(transport: ReturnType<typeof afNetlink>): Promise<Pair> {
  const netns = newNetns()
  const kernel = new Kernel()
  const outer = await open({ netns })
  const inner = await open({ kernel })
  await furnish(outer)
  await furnish(inner)
  await outer.close()
  await inner.close()
  const options = { extAck: true, getStrictChk: true }
  const init = { protocol: NETLINK_ROUTE, portid: PORTID, options }
  const linux = await transport.open({ ...init, netns })
  const nlkit = await kernel.transport().open(init)
  return {
    linux,
    nlkit,
    async close() {
      linux.close()
      nlkit.close()
      await kernel.close()
      netns.close()
    },
  }
}

/** Why two verdicts may differ, or undefined. */
export function explain(linux: string, nlkit: string): string | undefined {
  for (const [reason, theirs, ours] of REASONS) {
    if (theirs.test(linux) && ours.test(nlkit)) return reason
  }
  return undefined
}

/** What this Linux says, what nlkit says, and why. */
const REASONS: readonly (readonly [reason: string, linux: RegExp, nlkit: RegExp])[] = []

/** Without what differs from request to request. */
function kindOf(type: number, linux: string, nlkit: string): string {
  const short = (text: string): string =>
    text.replace(/"offs":\d+/g, '"offs":N').split('\n')[0] ?? ''
  return `${type}: ${short(linux) || 'nothing'} | ${short(nlkit) || 'nothing'}`
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Asks `plan.count` times. @throws where this machine has no namespaces */
export async function differRtnl(plan: RtnlPlan): Promise<RtnlReport> {
  const random = randomOf(plan.seed)
  const good = goodRequests(plan.objects)
  const transport = afNetlink()
  const buffer = new Uint8Array(65536)
  const explained = new Map<string, number>()
  const kinds = new Map<string, number>()
  const differences: RtnlDifference[] = []
  const add = (map: Map<string, number>, key: string): void => {
    map.set(key, (map.get(key) ?? 0) + 1)
  }
  let asked = 0
  let refusals = 0
  let told = 0
  try {
    while (asked < plan.count) {
      const pair = await fresh(transport)
      const before: string[] = []
      for (let i = 0; i < ROUND && asked < plan.count; i++, asked++) {
        const first = good[random() % good.length] as Uint8Array
        const request = random() % 8 === 0 ? first : tame(mutate(first, random), first)
        const linux = verdicts(pair.linux, request, buffer)
        const nlkit = verdicts(pair.nlkit, request, buffer)
        if (/error -/.test(linux)) refusals++
        if (linux.includes('"msg"')) told++
        if (linux === nlkit) {
          if (/error 0/.test(linux)) before.push(hexOf(request))
          continue
        }
        const reason = explain(linux, nlkit)
        if (reason) add(explained, reason)
        else {
          add(kinds, kindOf(viewOf(first).getUint16(4, true), linux, nlkit))
          if (differences.length < 200) {
            differences.push({ linux, nlkit, request: hexOf(request), before: [...before] })
          }
        }
        // What one kernel took and the other did not would make all that follows differ.
        if (/(error|done) 0/.test(linux) !== /(error|done) 0/.test(nlkit)) break
      }
      await pair.close()
      plan.onProgress?.(asked)
    }
  } finally {
    await transport.close?.()
  }
  return { asked, refusals, told, explained, differences, kinds }
}
