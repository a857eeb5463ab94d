/**
 * Any netlink message as text: a tree of lines, or one line; for debug output, monitors, errors.
 *
 * Bad bytes are shown as they are, with the reason; nothing here throws.
 */
import { errnoName } from '../errno.ts'
import { align4 } from '../wire/align.ts'
import {
  GENL_HDRLEN,
  NLM_F_CAPPED,
  NLM_F_MATCH,
  NLM_F_REQUEST,
  NLM_F_ROOT,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from '../wire/constants.ts'
import { MessageWalker, viewOf } from '../wire/message.ts'
import { HOST_LE } from '../wire/order.ts'
import { Writer } from '../wire/writer.ts'
import { type AttrType, attrs } from './attrs.ts'
import type { Family, Op } from './family.ts'
import { type AnyMessage, type Message, message } from './message.ts'
import { describeMessage, renderTree, type TreeNode } from './tree.ts'

/**
 * Whose messages to expect: a family, several of one protocol, or a function from nlmsg_type (the
 * ids of generic families are known only at run time).
 */
export type FamilyLookup = Family | readonly Family[] | ((type: number) => Family | undefined)

/** How to read what is not the families' own. */
export interface FormatOptions {
  /** The attributes of acknowledgements (`nlmsgerrAttrs`). */
  readonly extack?: AttrType<any, any>
}

/** Attributes of which nothing is known. */
const bytes = message(attrs('', {}))

const CONTROL: Readonly<Record<number, string>> = {
  [NLMSG_NOOP]: 'NLMSG_NOOP',
  [NLMSG_ERROR]: 'NLMSG_ERROR',
  [NLMSG_DONE]: 'NLMSG_DONE',
  [NLMSG_OVERRUN]: 'NLMSG_OVERRUN',
}

const COMMON_FLAGS = ['REQUEST', 'MULTI', 'ACK', 'ECHO', 'DUMP_INTR', 'DUMP_FILTERED']
const UPPER_FLAGS = {
  get: ['ROOT', 'MATCH', 'ATOMIC'],
  new: ['REPLACE', 'EXCL', 'CREATE', 'APPEND'],
  delete: ['NONREC', 'BULK'],
  acknowledgement: ['CAPPED', 'ACK_TLVS'],
} as const

/** What a message is called, and how its payload reads. */
interface Known {
  readonly name: string
  readonly upper: keyof typeof UPPER_FLAGS
  readonly message: AnyMessage | undefined
  /** Bytes between nlmsghdr and the message: genlmsghdr, or none. */
  readonly skip: number
}

function findFamily(find: FamilyLookup, type: number): Family | undefined {
  if (typeof find === 'function') return find(type)
  const list = 'kind' in find ? [find] : find
  return list.find((family) =>
    family.kind === 'genl' ? list.length === 1 || family.id === type : speaks(family, type),
  )
}

function speaks(family: Family, cmd: number): boolean {
  return (
    Object.values(family.ops).some((op) => op.cmd === cmd || op.replyCmd === cmd) ||
    Object.values(family.notifications ?? {}).some((ntf) => ntf.cmd === cmd)
  )
}

/** A request, else a reply, else a notification. */
function findMessage(family: Family, cmd: number, flags: number): [string, AnyMessage | undefined] {
  const ops = Object.entries(family.ops)
  const asked = ops.find(([, op]) => op.cmd === cmd)
  const dump = (flags & (NLM_F_ROOT | NLM_F_MATCH)) !== 0
  const request = (op: Op): AnyMessage | undefined =>
    dump ? (op.dump?.request ?? op.do?.request) : (op.do?.request ?? op.dump?.request)
  if (asked && flags & NLM_F_REQUEST) {
    return [asked[1].constant ?? `${family.name}.${asked[0]}`, request(asked[1])]
  }
  const told = Object.entries(family.notifications ?? {}).find(([, ntf]) => ntf.cmd === cmd)
  const answer = ops.find(([, op]) => (op.replyCmd ?? op.cmd) === cmd && (op.do ?? op.dump)?.reply)
  const name = asked?.[1].constant ?? `${family.name}.${told?.[0] ?? answer?.[0] ?? asked?.[0]}`
  const body = told?.[1].body ?? answer?.[1].do?.reply ?? answer?.[1].dump?.reply
  return [name, body ?? (asked && request(asked[1]))]
}

function upperFlags(name: string): keyof typeof UPPER_FLAGS {
  if (/_(NEW|SET)/.test(name)) return 'new'
  return /_DEL/.test(name) ? 'delete' : 'get'
}

function recognize(view: DataView, walker: MessageWalker, find: FamilyLookup): Known {
  const { type, flags, payload, end } = walker
  const control = CONTROL[type]
  if (control) return { name: control, upper: 'acknowledgement', message: undefined, skip: 0 }
  const family = findFamily(find, type)
  const nothing = { name: `type ${type}`, upper: 'get', message: undefined, skip: 0 } as const
  if (!family) return nothing
  if (family.kind === 'raw') {
    const [name, body] = findMessage(family, type, flags)
    return { name, upper: upperFlags(name), message: body, skip: 0 }
  }
  if (end - payload < GENL_HDRLEN) return { ...nothing, name: family.name }
  const cmd = view.getUint8(payload)
  const known = speaks(family, cmd)
  const [name, body] = known ? findMessage(family, cmd, flags) : [`${family.name}.${cmd}`]
  // a message that describes the user header reads it itself
  const header = body?.header ? 0 : align4(family.headerSize ?? 0)
  return { name, upper: 'get', message: body, skip: GENL_HDRLEN + header }
}

function flagText(flags: number, upper: keyof typeof UPPER_FLAGS): string {
  const names: string[] = []
  let rest = flags
  const take = (list: readonly string[], shift: number): void => {
    list.forEach((name, i) => {
      const bit = 1 << (shift + i)
      if ((rest & bit) === 0) return
      names.push(name)
      rest &= ~bit
    })
  }
  take(COMMON_FLAGS, 0)
  if (upper === 'get' && (rest & 0x300) === 0x300) {
    names.push('DUMP')
    rest &= ~0x300
  }
  take(UPPER_FLAGS[upper], 8)
  if (rest !== 0 || names.length === 0) names.push(rest === 0 ? '0' : `0x${rest.toString(16)}`)
  return names.join('|')
}

/** `NLMSG_ERROR` and `NLMSG_DONE`: the errno, the request's header, then the extack. */
function describeControl(
  view: DataView,
  walker: MessageWalker,
  find: FamilyLookup,
  { extack }: FormatOptions,
): TreeNode[] {
  const { payload, end, type, flags } = walker
  if ((type !== NLMSG_ERROR && type !== NLMSG_DONE) || end - payload < 4) {
    return describeMessage(bytes, view, payload, end)
  }
  const text = `error=${outcome(view, payload)}`
  const nodes: TreeNode[] = []
  let behind = payload + 4
  if (type === NLMSG_ERROR && end - behind >= NLMSG_HDRLEN) {
    const length = flags & NLM_F_CAPPED ? NLMSG_HDRLEN : view.getUint32(behind, HOST_LE)
    const stop = Math.min(end, behind + Math.max(NLMSG_HDRLEN, length))
    nodes.push(describeRequest(view, behind, stop, find))
    behind = Math.min(end, behind + align4(stop - behind))
  }
  const attributes = extack ? message(extack) : bytes
  if (behind < end) nodes.push(...describeMessage(attributes, view, behind, end))
  const label = type === NLMSG_ERROR ? 'nlmsgerr' : 'int'
  return [{ label, text, start: payload, end: payload + 4, children: nodes }]
}

/** The copy of a request inside an acknowledgement; its payload may not have been copied. */
function describeRequest(view: DataView, at: number, end: number, find: FamilyLookup): TreeNode {
  const copy = new DataView(view.buffer, view.byteOffset + at, end - at)
  const walker = new MessageWalker(copy)
  const header = { length: copy.getUint32(0, HOST_LE), type: copy.getUint16(4, HOST_LE) }
  const flags = copy.getUint16(6, HOST_LE)
  const whole = walker.next()
  const known = whole ? recognize(copy, walker, find) : undefined
  const name = known?.name ?? requestName(find, header.type, flags)
  return {
    label: 'nlmsghdr',
    text: `len=${header.length} type=${name} flags=${flagText(flags, upperFlags(name))} seq=${copy.getUint32(8, HOST_LE)} port=${copy.getUint32(12, HOST_LE)}`,
    start: at,
    end,
    children: [],
  }
}

function requestName(find: FamilyLookup, type: number, flags: number): string {
  const family = findFamily(find, type)
  return family?.kind === 'raw' ? findMessage(family, type, flags)[0] : `type ${type}`
}

/** The errno of an acknowledgement in words: `EEXIST`, or `0`. */
function outcome(view: DataView, at: number): string {
  const error = view.getInt32(at, HOST_LE)
  return error === 0 ? '0' : errnoName(error)
}

function headerLine(walker: MessageWalker, known: Known): string {
  const { type, flags, seq, portid, start, end } = walker
  const named = known.name.startsWith('type ') ? String(type) : known.name
  return `NLMSG len=${end - start} type=${named} flags=${flagText(flags, known.upper)} seq=${seq} port=${portid}`
}

function describeBody(
  view: DataView,
  walker: MessageWalker,
  known: Known,
  find: FamilyLookup,
  options: FormatOptions,
): TreeNode[] {
  const { payload, end } = walker
  if (walker.type in CONTROL) return describeControl(view, walker, find, options)
  const from = Math.min(end, payload + known.skip)
  const below = describeMessage(known.message ?? bytes, view, from, end)
  if (known.skip === 0 || end - payload < GENL_HDRLEN) return below
  const text = `cmd=${view.getUint8(payload)} version=${view.getUint8(payload + 1)}`
  return [{ label: 'genlmsghdr', text, start: payload, end: from, children: below }]
}

/**
 * Every message of a datagram: a line for its header, a tree for the rest. Offsets are those of the
 * extack: bytes from the message's own nlmsghdr.
 */
export function formatMessage(
  datagram: Uint8Array,
  find: FamilyLookup,
  options: FormatOptions = {},
): string[] {
  const lines: string[] = []
  const whole = viewOf(datagram)
  const messages = new MessageWalker(whole)
  while (messages.next()) {
    const view = new DataView(
      whole.buffer,
      whole.byteOffset + messages.start,
      messages.end - messages.start,
    )
    const walker = new MessageWalker(view)
    walker.next()
    const known = recognize(view, walker, find)
    lines.push(headerLine(walker, known))
    lines.push(...renderTree(describeBody(view, walker, known, find, options)))
  }
  if (messages.leftover > 0) lines.push(`${messages.leftover} bytes are not a message`)
  return lines
}

/** Parts of a summary that are shown; the rest is counted. */
const MAX_PARTS = 8

/** The datagram's first message in one line, such as `RTM_NEWLINK ifindex=3 IFLA_MTU=9000`. */
export function summarizeMessage(
  datagram: Uint8Array,
  find: FamilyLookup,
  options: FormatOptions = {},
): string {
  const view = viewOf(datagram)
  const walker = new MessageWalker(view)
  if (!walker.next()) return `${datagram.length} bytes that are not a message`
  const known = recognize(view, walker, find)
  const parts: string[] = []
  const take = (node: TreeNode): void => {
    const isAttribute = /^[A-Z#[]/.test(node.label)
    if (node.text !== '') parts.push(isAttribute ? `${node.label}=${node.text}` : node.text)
    else if (node.children.length > 0) parts.push(`${node.label}{${node.children.length}}`)
    else if (isAttribute) parts.push(node.label)
  }
  for (const node of describeBody(view, walker, known, find, options)) {
    take(node)
    if (node.label !== 'nlmsghdr') node.children.forEach(take)
  }
  const rest = parts.length - MAX_PARTS
  const tail = rest > 0 ? ` (+${rest})` : ''
  return `${known.name} ${parts.slice(0, MAX_PARTS).join(' ')}${tail}`.trim()
}

/** A value as the tree that its message would be on the wire. @throws EncodeError */
export function formatValue<In>(body: Message<any, In>, value: In): string[] {
  const w = new Writer()
  body.encode(w, value)
  return renderTree(describeMessage(body, viewOf(w.peek()), 0, w.length))
}
