/** vlan: pushes and pops tags. Kernel: net/sched/act_vlan.c tcf_vlan_init(), tcf_vlan_dump() (Linux 6.12). */
import { attrs, binary, message, u8, u16 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import { spanOf } from '../../rtnetlink/policy-types.ts'
import type { ActionOps } from '../action.ts'
import { refuse } from '../request.ts'
import { bytesOf } from '../span.ts'
import { GEN_SIZE, genOf, putGen, putTimes } from './tc-gen.ts'

const SIZE = 24
const POP = 1
const PUSH = 2
const MODIFY = 3
const POP_ETH = 4
const PUSH_ETH = 5
const VID_MASK = 0xfff
const PROTOCOLS: ReadonlySet<number> = new Set([0x8100, 0x88a8])

const policy = message(
  attrs('TCA_VLAN_', {
    parms: [2, spanOf(SIZE)],
    id: [3, u16],
    protocol: [4, u16],
    priority: [6, u8],
    dst: [7, binary.exact(6)],
    src: [8, binary.exact(6)],
  }),
)
type Options = ReturnType<typeof policy.decode>

interface Vlan {
  readonly what: number
  readonly id: number
  /** In network order, as the attribute has it. */
  readonly protocol: Uint8Array
  readonly priority: number | undefined
  readonly dst: Uint8Array | undefined
  readonly src: Uint8Array | undefined
}

function swapped(value: number): number {
  return HOST_LE ? ((value & 0xff) << 8) | (value >> 8) : value
}

/** @throws NetlinkError EINVAL, ERANGE, EPROTONOSUPPORT */
function check(what: number, { id, protocol, dst, src }: Options): void {
  if (what === POP || what === POP_ETH) return
  if (what === PUSH || what === MODIFY) {
    if (id === undefined) refuse('EINVAL')
    if (id >= VID_MASK) refuse('ERANGE')
    if (protocol !== undefined && !PROTOCOLS.has(swapped(protocol))) refuse('EPROTONOSUPPORT')
    return
  }
  if (what !== PUSH_ETH || !dst || !src) refuse('EINVAL')
}

export const vlan: ActionOps = {
  kind: 'vlan',
  parse({ ctx, options }) {
    if (!options) refuse('EINVAL')
    const asked = parseNested(ctx, options, policy, { silent: true })
    if (!asked.parms) refuse('EINVAL')
    const parms = bytesOf(ctx, asked.parms)
    const what = new DataView(parms.buffer, parms.byteOffset).getInt32(GEN_SIZE, HOST_LE)
    const protocol = asked.protocol === undefined ? 0x8100 : swapped(asked.protocol)
    return {
      ...genOf(parms),
      check: () => check(what, asked),
      finish: () =>
        ({
          what,
          id: asked.id ?? 0,
          protocol: Uint8Array.of(protocol >> 8, protocol & 0xff),
          priority: asked.priority ?? (what === PUSH ? 0 : undefined),
          dst: asked.dst,
          src: asked.src,
        }) satisfies Vlan,
    }
  },
  put(w, action, shown) {
    const { what, id, protocol, priority, dst, src } = action.state as Vlan
    putGen(w, 2, action, shown, [what])
    if (what === PUSH || what === MODIFY) {
      const mark = w.attrStart(3)
      w.u16(id)
      w.attrEnd(mark)
      w.attrBytes(4, protocol)
      if (priority !== undefined) w.attrBytes(6, Uint8Array.of(priority))
    }
    if (what === PUSH_ETH && dst && src) {
      w.attrBytes(7, dst)
      w.attrBytes(8, src)
    }
    putTimes(w, 1, shown)
  },
}
