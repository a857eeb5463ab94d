/**
 * A request of traffic control: struct tcmsg and its attributes, and how options are read.
 *
 * Kernel: net/sched/sch_api.c rtm_tca_policy (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { tcmsg } from '../../families/rt-tc.ts'
import {
  attrs,
  binary,
  flag,
  type Message,
  message,
  NL_VALIDATE_LIBERAL,
  string,
  type Type,
  u32,
} from '../../schema/index.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import { parseNested, payloadSize } from '../rtnetlink/parse.ts'
import { nested, type Span, spanOf } from '../rtnetlink/policy-types.ts'

/** sizeof(struct tcmsg). */
const HEADER_SIZE = 20
/** IFNAMSIZ: a kind has fewer characters. */
export const KIND_MAX = 15
/** sizeof(struct tc_estimator). */
const ESTIMATOR_SIZE = 2

/** NLA_STRING without a bound: a NUL at the end is left out, others are kept. */
export const kindName: Type<string> = {
  shape: string.bare().shape,
  size: undefined,
  flags: 0,
  put: (w, value) => w.string(value),
  get(view, at, end) {
    const last = end > at && view.getUint8(end - 1) === 0 ? end - 1 : end
    let text = ''
    for (let i = at; i < last; i++) text += String.fromCharCode(view.getUint8(i))
    return text
  },
}

/** Without NULs at the end, as nla_strcmp() compares. */
export function trimmed(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--
  return text.slice(0, end)
}

/** Up to the first NUL, as a name is copied. */
export function shortName(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

const policy = message(
  tcmsg,
  attrs('TCA_', {
    kind: [1, kindName],
    options: [2, spanOf(0)],
    rate: [5, binary.max(ESTIMATOR_SIZE)],
    stab: [8, nested],
    dumpInvisible: [10, flag],
    chain: [11, u32],
    ingressBlock: [13, u32],
    egressBlock: [14, u32],
  }),
)

export class TcRequest {
  readonly ctx: RequestContext
  readonly ifindex: number
  readonly handle: number
  readonly parent: number
  readonly info: number
  /** As it is compared with kinds that there are. */
  readonly kind: string | undefined
  readonly isKindTooLong: boolean
  readonly options: Span | undefined
  readonly rate: Uint8Array | undefined
  readonly stab: Span | undefined
  readonly isInvisibleToo: boolean
  readonly chain: number | undefined
  readonly ingressBlock: number | undefined
  readonly egressBlock: number | undefined

  /** @throws NetlinkError EINVAL, ERANGE */
  constructor(ctx: RequestContext) {
    if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL', 'Invalid header length')
    const asked = ctx.decode(policy, NL_VALIDATE_LIBERAL)
    this.ctx = ctx
    this.ifindex = asked.ifindex >>> 0
    this.handle = asked.handle
    this.parent = asked.parent
    this.info = asked.info
    this.kind = asked.kind === undefined ? undefined : trimmed(asked.kind)
    this.isKindTooLong = (asked.kind?.length ?? 0) > KIND_MAX
    this.options = asked.options
    this.rate = asked.rate
    this.stab = asked.stab
    this.isInvisibleToo = asked.dumpInvisible !== undefined
    this.chain = asked.chain
    this.ingressBlock = asked.ingressBlock
    this.egressBlock = asked.egressBlock
  }

  get flags(): number {
    return this.ctx.flags
  }

  get stack(): NetStack {
    return this.ctx.kernel.rtnl.stackOf(this.ctx.net)
  }

  /** The first `size` bytes of the options, a copy. @throws NetlinkError EINVAL where there are fewer */
  struct(size: number): DataView {
    const { options } = this
    if (!options || options.end - options.at < size) throw new NetlinkError('EINVAL')
    return new DataView(this.bytes(options).slice(0, size).buffer)
  }

  /** What is in `span`, not copied. */
  bytes({ at, end }: Span): Uint8Array {
    const { view } = this.ctx
    return new Uint8Array(view.buffer, view.byteOffset + at, end - at)
  }

  /**
   * The options as a nest; `silent`, as where Linux gives no extack.
   * @throws NetlinkError EINVAL, ERANGE; EINVAL where there are none
   */
  nest<Out>(of: Message<Out, unknown>, silent = false): Out {
    if (!this.options) throw new NetlinkError('EINVAL')
    return parseNested(this.ctx, this.options, of, { silent })
  }
}

/** Reads a number of 32 bits. */
export function u32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, HOST_LE)
}

/** A refusal. */
export function refuse(code: ConstructorParameters<typeof NetlinkError>[0], text?: string): never {
  throw new NetlinkError(code, text ?? {})
}
