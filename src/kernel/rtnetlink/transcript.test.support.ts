/**
 * For tests: sessions with a kernel as lines of text, to be compared with what Linux 6.18 answered
 * to the same requests (the `.test.txt` beside a test; NLKIT_RECORD=1 writes it anew).
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { errnoName } from '../../errno.ts'
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { afNetlink } from '../../transport/af-netlink.ts'
import { newNetns } from '../../transport/netns.ts'
import type { Socket, Transport } from '../../transport/transport.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { NLA_F_NESTED, NLMSG_DONE, NLMSG_ERROR } from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Kernel } from '../kernel.ts'
import type { Step } from './requests.test.support.ts'

/** One session: a fresh namespace, a socket that asks and, with groups, one that listens. */
export interface Session {
  readonly name: string
  readonly steps: readonly Step[]
  readonly strict?: boolean
  readonly groups?: readonly number[]
  /** Attributes of links that are shown, besides the usual ones. */
  readonly shown?: ReadonlyMap<number, string>
}

/** Long enough for Linux to tell what it tells later: carriers that follow. */
const SETTLE_MS = 400
const isRecording = process.env.NLKIT_RECORD !== undefined

/** Runs each session on nlkit; what it answers is what Linux answered. */
export function sessions(url: string, all: readonly Session[]): void {
  const path = url.replace('/dist/', '/src/').replace('.test.js', '.test.txt')
  const file = new URL(path)
  if (isRecording) {
    test('recording', async () => {
      const parts: string[] = []
      for (const session of all) parts.push(`# ${session.name}`, ...(await onLinux(session)))
      writeFileSync(file, `${parts.join('\n')}\n`)
    })
    return
  }
  const golden = new Map(
    readFileSync(file, 'utf8')
      .split(/^# /m)
      .slice(1)
      .map((part) => {
        const [name = '', ...lines] = part.trimEnd().split('\n')
        return [name, lines]
      }),
  )
  for (const session of all) {
    test(session.name, async () => {
      assert.deepEqual(await onNlkit(session), golden.get(session.name))
    })
  }
}

async function onNlkit(session: Session): Promise<string[]> {
  await using kernel = new Kernel({ without: ['BRIDGE_VLAN_FILTERING'] })
  const write: SysctlWriter = (name, text) => kernel.setSysctl(name, text)
  const lines = await run(session, kernel.transport(), {}, write, () => setTimeout(0))
  assert.deepEqual(
    kernel.dmesg().filter(({ text }) => /failed: /.test(text)),
    [],
  )
  return lines
}

async function onLinux(session: Session): Promise<string[]> {
  const netns = await newNetns()
  try {
    const live = { netns }
    const write: SysctlWriter = (name, text) => writeOnLinux(netns.path, name, text)
    return await run(session, afNetlink(), live, write, (label) =>
      setTimeout(session.groups || /up|down|master/.test(label) ? SETTLE_MS : 5),
    )
  } finally {
    netns.close()
  }
}

/** Writes a setting. @throws NetlinkError */
type SysctlWriter = (name: string, text: string) => void

/** What tee(1) says of a file that it cannot write. */
const COMPLAINTS: readonly (readonly [RegExp, string])[] = [
  [/No such file/, 'ENOENT'],
  [/Permission denied/, 'EACCES'],
  [/Invalid argument/, 'EINVAL'],
  [/Input\/output error/, 'EIO'],
]

function writeOnLinux(netns: string, name: string, text: string): void {
  const file = `/proc/sys/${name.replaceAll('.', '/')}`
  const args = [`--net=${netns}`, 'tee', file]
  const options = { input: text, encoding: 'utf8', timeout: 10_000 } as const
  const { status, stderr } = spawnSync('nsenter', args, options)
  if (status === 0) return
  const code = COMPLAINTS.find(([words]) => words.test(stderr))?.[1]
  if (!code) throw new Error(stderr)
  throw new NetlinkError(code)
}

/** One step: what was asked for, in a line where it is no request. */
function begin({ request, sysctl }: Step, asker: Socket, write: SysctlWriter): string[] {
  if (!sysctl) {
    asker.send([request])
    return []
  }
  try {
    write(...sysctl)
    return ['< written']
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    return [`< ${error.code}`]
  }
}

async function run(
  { steps, strict = false, groups = [], shown = new Map() }: Session,
  transport: Transport,
  where: object,
  write: SysctlWriter,
  settle: (label: string) => Promise<unknown>,
): Promise<string[]> {
  const options = { extAck: true, strictCheck: strict, pktinfo: true }
  const open = () => transport.open({ protocol: 0, ...where, options })
  alsoShown = shown
  const asker = await open()
  const listener = await open()
  const lines: string[] = []
  try {
    for (const group of groups) await listener.join(group)
    for (const each of steps) {
      const { label } = each
      lines.push(`> ${label}`, ...begin(each, asker, write))
      lines.push(...drain(asker, asker.portid, '<'))
      await settle(label)
      lines.push(...drain(asker, asker.portid, '<'))
      for (const line of drain(listener, asker.portid, '*')) if (!isNoise(line)) lines.push(line)
    }
  } finally {
    await asker.close()
    await listener.close()
  }
  return lines
}

/** What Linux says of packets that it sends itself: multicast reports. */
function isNoise(line: string): boolean {
  return /neigh .* 1:(ff020000000000000000000000000016|e0000016) /.test(line)
}

/** What is queued: a datagram begins with `mark`, its other messages with a space. */
function drain(socket: Socket, asker: number, mark: string): string[] {
  const buffer = new Uint8Array(65_536)
  const lines: string[] = []
  for (;;) {
    const length = socket.receive(buffer)
    if (length < 0) return lines
    const group = socket.senderGroup === 0 ? '' : `${socket.senderGroup} `
    const walker = new MessageWalker(viewOf(buffer), length)
    for (let first = true; walker.next(); first = false) {
      lines.push(`${first ? mark : ' '} ${group}${describe(walker, asker)}`)
    }
  }
}

/** One message; its length shows what the line leaves out. */
function describe(message: MessageWalker, asker: number): string {
  const { type, flags, seq, portid, start, end } = message
  const whose = portid === 0 ? 'kernel' : portid === asker ? 'me' : String(portid)
  const head = `flags=${flags.toString(16)} seq=${seq} to=${whose} len=${end - start}`
  if (type === NLMSG_ERROR || type === NLMSG_DONE) return `${describeEnd(message)} ${head}`
  const event = ['new', 'del', 'get', 'set'][(type - 16) & 3]
  const object = objects[(type - 16) >> 2]
  return `${event}${object ? object(message) : `type ${type}`} ${head}`
}

function describeEnd({ view, type, flags, payload, end }: MessageWalker): string {
  const errno = view.getInt32(payload, HOST_LE)
  const name = errno === 0 ? '0' : errnoName(-errno)
  const parts = [type === NLMSG_DONE ? 'done' : 'error', name]
  if (flags & 0x200) {
    const request = view.getUint32(payload + 4, HOST_LE)
    const behind = type === NLMSG_DONE ? 4 : flags & 0x100 ? 20 : 4 + ((request + 3) & ~3)
    const tlvs = new AttributeWalker(view, payload + behind, end)
    while (tlvs.next()) parts.push(describeTlv(tlvs))
  }
  return parts.join(' ')
}

function describeTlv({ view, type, payload, end }: AttributeWalker): string {
  if (type === 1) return JSON.stringify(textAt(view, payload, end))
  const name = ['', '', 'at', 'cookie', 'policy', 'missing', 'missing in'][type]
  return `${name}=${type === 4 ? hex(view, payload, end) : view.getUint32(payload, HOST_LE)}`
}

const objects: Record<number, ((message: MessageWalker) => string) | undefined> = {
  0: (m) => describeLink(m),
  1: (m) => `addr ${hex(m.view, m.payload, m.payload + 8)} ${attributes(m, 8, { 6: lifetimes })}`,
  2: (m) => `route ${hex(m.view, m.payload, m.payload + 12)} ${attributes(m, 12, { 12: length })}`,
  3: (m) => {
    const shown = m.view.getUint8(m.payload) === 7 ? { 2: length, 3: length } : { 3: length }
    return `neigh ${hex(m.view, m.payload, m.payload + 12)} ${attributes(m, 12, shown)}`
  },
  10: (m) =>
    `multicast ${hex(m.view, m.payload, m.payload + 8)} ${attributes(m, 8, { 6: lifetimes })}`,
  11: (m) =>
    `anycast ${hex(m.view, m.payload, m.payload + 8)} ${attributes(m, 8, { 6: lifetimes })}`,
  14: (m) => `label ${hex(m.view, m.payload, m.payload + 12)} ${attributes(m, 12, {})}`,
  18: (m) => `nsid ${hex(m.view, m.payload, m.payload + 1)} ${attributes(m, 4, {})}`,
  12: (m) =>
    `table ${hex(m.view, m.payload, m.payload + 4)} ${attributes(m, 4, { 5: tableConfig, 6: parms, 7: length })}`,
  19: (m) => `stats ${hex(m.view, m.payload, m.payload + 12)} ${attributes(m, 12, {})}`,
  16: (m) => `netconf ${hex(m.view, m.payload, m.payload + 1)} ${attributes(m, 4, {})}`,
  4: (m) => `rule ${hex(m.view, m.payload, m.payload + 12)} ${attributes(m, 12, {})}`,
}

type Show = (walker: AttributeWalker) => string
const length: Show = ({ payload, end }) => `[${end - payload}]`
/** Sizes; the rest are moments and chance. */
const tableConfig: Show = ({ view, payload }) => hex(view, payload, payload + 4)
/** Without the time that is drawn. */
const parms: Show = ({ view, payload, end }) => {
  const walker = new AttributeWalker(view, payload, end)
  const parts: string[] = []
  while (walker.next()) {
    parts.push(`${walker.type}=${walker.type === 3 ? '' : hex(view, walker.payload, walker.end)}`)
  }
  return `{${parts.join(' ')}}`
}
/** Seconds that are left depend on the moment. */
const lifetimes: Show = ({ view, payload }) =>
  [0, 4].map((at) => (view.getUint32(payload + at) === 0xffffffff ? 'forever' : 'mortal')).join('/')

function attributes(m: MessageWalker, from: number, shown: Record<number, Show>): string {
  const walker = new AttributeWalker(m.view, m.payload + from, m.end)
  const parts: string[] = []
  while (walker.next()) {
    const value = shown[walker.type]?.(walker) ?? hex(m.view, walker.payload, walker.end)
    parts.push(`${walker.type}:${value}`)
  }
  return parts.join(' ')
}

/** The attributes that tests look at; the numbers of the others, in their order. */
function describeLink({ view, payload, end }: MessageWalker): string {
  const walker = new AttributeWalker(view, payload + 16, end)
  const order: string[] = []
  const values = new Map<number, string>()
  while (walker.next()) {
    const { type, rawType } = walker
    order.push(`${type}${rawType & NLA_F_NESTED ? 'n' : ''}`)
    const shown = SHOWN.get(type) ?? alsoShown.get(type)
    if (shown) values.set(type, `${shown}=${linkValue(walker)}`)
  }
  const family = view.getUint8(payload)
  const number = (at: number): string => view.getUint32(payload + at, HOST_LE).toString(16)
  const head = `link family=${family} index=${number(4)} flags=${number(8)} change=${number(12)}`
  return `${head} ${[...values.values()].join(' ')} order=${order.join()}`
}

/** What the session that runs shows besides. */
let alsoShown: ReadonlyMap<number, string> = new Map()

const SHOWN: ReadonlyMap<number, string> = new Map([
  [3, 'name'],
  [4, 'mtu'],
  [5, 'link'],
  [6, 'qdisc'],
  [10, 'master'],
  [13, 'txqlen'],
  [16, 'operstate'],
  [20, 'alias'],
  [27, 'group'],
  [30, 'promiscuity'],
  [33, 'carrier'],
  [35, 'changes'],
  [44, 'event'],
  [52, 'others'],
  [59, 'tso'],
])

function linkValue({ view, type, payload, end }: AttributeWalker): string {
  if (type === 3 || type === 6 || type === 20) return textAt(view, payload, end)
  if (type === 52) return hex(view, payload, end)
  return end - payload === 1
    ? String(view.getUint8(payload))
    : String(view.getUint32(payload, HOST_LE))
}

function hex(view: DataView, at: number, end: number): string {
  let out = ''
  for (let i = at; i < end; i++) out += view.getUint8(i).toString(16).padStart(2, '0')
  return out
}

function textAt(view: DataView, at: number, end: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, at, end - at)).replace(/\0.*$/, '')
}
