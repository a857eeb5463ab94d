/** skbedit: what the kernel notes about a packet. Kernel: net/sched/act_skbedit.c tcf_skbedit_init(), tcf_skbedit_dump() (Linux 6.12). */
import { attrs, message } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import type { Writer } from '../../../wire/writer.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import { spanOf } from '../../rtnetlink/policy-types.ts'
import type { ActionOps, ActionSource } from '../action.ts'
import { refuse } from '../request.ts'
import { bytesOf } from '../span.ts'
import { GEN_SIZE, genOf, putGen, putTimes } from './tc-gen.ts'

/** PACKET_OTHERHOST: the last type of packets that may be set. */
const OTHERHOST = 3
const TXQ_SKBHASH = 64
const INHERITDSFIELD = 32

const policy = message(
  attrs('TCA_SKBEDIT_', {
    parms: [2, spanOf(GEN_SIZE)],
    priority: [3, spanOf(4)],
    queueMapping: [4, spanOf(2)],
    mark: [5, spanOf(4)],
    ptype: [7, spanOf(2)],
    mask: [8, spanOf(4)],
    flags: [9, spanOf(8)],
    queueMappingMax: [10, spanOf(2)],
  }),
)

interface Skbedit {
  readonly priority: number | undefined
  readonly queue: number | undefined
  readonly queueMax: number | undefined
  readonly mark: number | undefined
  readonly ptype: number | undefined
  readonly mask: number | undefined
  /** SKBEDIT_F_*, of those that stand for themselves. */
  readonly flags: number
}

function read({ ctx }: ActionSource, asked: ReturnType<typeof policy.decode>): Skbedit {
  type Name = Exclude<keyof typeof asked, 'unknown'>
  const view = (name: Name): DataView | undefined => {
    const span = asked[name]
    const bytes = span && bytesOf(ctx, span)
    return bytes && new DataView(bytes.buffer, bytes.byteOffset)
  }
  const ptype = view('ptype')?.getUint16(0, HOST_LE)
  if (ptype !== undefined && ptype > OTHERHOST) refuse('EINVAL')
  const flags = (view('flags')?.getUint32(0, HOST_LE) ?? 0) & (TXQ_SKBHASH | INHERITDSFIELD)
  const queue = view('queueMapping')?.getUint16(0, HOST_LE)
  const most = view('queueMappingMax')?.getUint16(0, HOST_LE)
  if (flags & TXQ_SKBHASH) {
    if (queue === undefined || most === undefined) {
      refuse('EINVAL', 'act_skbedit: Missing required range of queue_mapping.')
    }
    if (most < queue) {
      refuse('EINVAL', 'act_skbedit: The range of queue_mapping is invalid, max < min.')
    }
    if (most - queue + 1 > 0xffff) {
      refuse('EINVAL', 'act_skbedit: The range of queue_mapping is invalid.')
    }
  }
  const u32 = (name: Name): number | undefined => view(name)?.getUint32(0, HOST_LE)
  return {
    ...{ priority: u32('priority'), mark: u32('mark'), mask: u32('mask'), ptype, queue, flags },
    queueMax: flags & TXQ_SKBHASH ? most : undefined,
  }
}

function put16(w: Writer, type: number, value: number): void {
  const mark = w.attrStart(type)
  w.u16(value)
  w.attrEnd(mark)
}

export const skbedit: ActionOps = {
  kind: 'skbedit',
  parse(source) {
    const { ctx, options } = source
    if (!options) refuse('EINVAL')
    const asked = parseNested(ctx, options, policy, { silent: true })
    if (!asked.parms) refuse('EINVAL')
    const state = read(source, asked)
    const { flags, ...values } = state
    return {
      ...genOf(bytesOf(ctx, asked.parms)),
      check() {
        if (flags === 0 && Object.values(values).every((each) => each === undefined)) {
          refuse('EINVAL')
        }
      },
      finish: () => state,
    }
  },
  put(w, action, shown) {
    const { priority, queue, queueMax, mark, ptype, mask, flags } = action.state as Skbedit
    putGen(w, 2, action, shown)
    if (priority !== undefined) w.attrU32(3, priority)
    if (queue !== undefined) put16(w, 4, queue)
    if (mark !== undefined) w.attrU32(5, mark)
    if (ptype !== undefined) put16(w, 7, ptype)
    if (mask !== undefined) w.attrU32(8, mask)
    if (queueMax !== undefined) put16(w, 10, queueMax)
    if (flags) {
      const at = w.attrStart(9)
      w.u64(BigInt(flags))
      w.attrEnd(at)
    }
    putTimes(w, 1, shown)
  },
}
