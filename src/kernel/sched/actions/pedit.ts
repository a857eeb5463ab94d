/** pedit: changes words of the packet. Kernel: net/sched/act_pedit.c tcf_pedit_init(), tcf_pedit_dump() (Linux 6.12). */
import { attrs, message, u16 } from '../../../schema/index.ts'
import { AttributeWalker } from '../../../wire/attribute.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { parseNested, wholeEnd } from '../../rtnetlink/parse.ts'
import { nested, type Span, spanOf } from '../../rtnetlink/policy-types.ts'
import type { ActionOps, ActionSource } from '../action.ts'
import { refuse } from '../request.ts'
import { bytesOf } from '../span.ts'
import { genOf, putTimes } from './tc-gen.ts'

/** struct tc_pedit without its keys; struct tc_pedit_key. */
const SIZE = 24
const KEY_SIZE = 24
const NKEYS = 20
const FLAGS = 21
const SHIFT_MAX = 31
const KEY_EX = 6
/** TCA_PEDIT_HDR_TYPE_MAX, TCA_PEDIT_CMD_MAX. */
const HDR_MAX = 5
const CMD_MAX = 1

const policy = message(
  attrs('TCA_PEDIT_', {
    parms: [2, spanOf(SIZE)],
    parmsEx: [4, spanOf(SIZE)],
    keysEx: [5, nested],
  }),
)
const keyPolicy = message(
  attrs('TCA_PEDIT_KEY_EX_', { htype: [1, u16.max(HDR_MAX)], cmd: [2, u16.max(CMD_MAX)] }),
)

interface ExtendedKey {
  readonly htype: number
  readonly cmd: number
}

interface Pedit {
  readonly flags: number
  readonly keys: Uint8Array
  readonly extended: readonly ExtendedKey[] | undefined
}

/** tcf_pedit_keys_ex_parse(). @throws NetlinkError EINVAL */
function extendedOf({ ctx }: ActionSource, { at, end }: Span, count: number): ExtendedKey[] {
  const keys: ExtendedKey[] = []
  const walker = new AttributeWalker(ctx.view, at, wholeEnd(ctx.view, at, end))
  while (walker.next()) {
    if (keys.length === count) {
      refuse('EINVAL', "act_pedit: Can't parse more extended keys than requested")
    }
    if (walker.type !== KEY_EX) refuse('EINVAL', 'Unknown attribute, expected extended key')
    const span = { at: walker.payload, end: walker.end }
    const { htype, cmd } = parseNested(ctx, span, keyPolicy, { silent: true })
    if (htype === undefined || cmd === undefined) refuse('EINVAL', 'Missing required attribute')
    keys.push({ htype, cmd })
  }
  if (keys.length < count) refuse('EINVAL', 'act_pedit: Not enough extended keys to parse')
  return keys
}

/** Keys as they are kept. @throws NetlinkError EINVAL */
function keysOf(bytes: Uint8Array): Uint8Array {
  const count = bytes[NKEYS] ?? 0
  const keys = bytes.slice(SIZE, SIZE + count * KEY_SIZE)
  const view = new DataView(keys.buffer)
  for (let at = 0; at < keys.length; at += KEY_SIZE) {
    if (view.getUint32(at + 16, HOST_LE) === 0 && view.getUint32(at + 8, HOST_LE) % 4) {
      refuse('EINVAL', 'act_pedit: Offsets must be on 32bit boundaries')
    }
    view.setUint32(at + 20, Math.min(SHIFT_MAX, view.getUint32(at + 20, HOST_LE)), HOST_LE)
  }
  return keys
}

export const pedit: ActionOps = {
  kind: 'pedit',
  parse(source) {
    const { ctx, options } = source
    if (!options) refuse('EINVAL', 'act_pedit: Pedit requires attributes to be passed')
    const { parms, parmsEx, keysEx } = parseNested(ctx, options, policy, { silent: true })
    const given = parms ?? parmsEx
    if (!given) {
      refuse(
        'EINVAL',
        'act_pedit: Missing required TCA_PEDIT_PARMS or TCA_PEDIT_PARMS_EX pedit attribute',
      )
    }
    const bytes = bytesOf(ctx, given)
    const count = bytes[NKEYS] ?? 0
    return {
      ...genOf(bytes),
      finish() {
        if (count === 0) refuse('EINVAL', 'act_pedit: Pedit requires keys to be passed')
        if (bytes.length < SIZE + count * KEY_SIZE) {
          refuse(
            'EINVAL',
            'Length of TCA_PEDIT_PARMS or TCA_PEDIT_PARMS_EX pedit attribute is invalid',
          )
        }
        const extended = keysEx && extendedOf(source, keysEx, count)
        return { flags: bytes[FLAGS] ?? 0, keys: keysOf(bytes), extended } satisfies Pedit
      },
    }
  },
  put(w, { index, control, state }, shown) {
    const { flags, keys, extended } = state as Pedit
    if (extended) {
      const list = w.attrStart(5)
      for (const { htype, cmd } of extended) {
        const nest = w.attrStart(KEY_EX)
        for (const [i, value] of [htype, cmd].entries()) {
          const mark = w.attrStart(i + 1)
          w.u16(value)
          w.attrEnd(mark)
        }
        w.attrEnd(nest)
      }
      w.attrEnd(list)
    }
    const mark = w.attrStart(extended ? 4 : 2)
    for (const value of [index, 0, control >>> 0, shown.refs, shown.binds]) w.u32(value)
    w.u8(keys.length / KEY_SIZE)
    w.u8(flags)
    w.u16(0)
    w.put(keys)
    w.attrEnd(mark)
    putTimes(w, 1, shown)
  },
}
