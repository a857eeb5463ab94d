/** mpls: pushes, pops and changes labels. Kernel: net/sched/act_mpls.c tcf_mpls_init(), tcf_mpls_dump() (Linux 6.12). */
import { attrs, binary, message, NL_VALIDATE_STRICT, u8, u16 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import type { ActionOps } from '../action.ts'
import { refuse, u32At } from '../request.ts'
import { GEN_SIZE, genOf, putGen, putTimes } from './tc-gen.ts'

const SIZE = 24
const POP = 1
const PUSH = 2
const MODIFY = 3
const DEC_TTL = 4
const MAC_PUSH = 5
const LABEL_MAX = 0xfffff
const IMPLICIT_NULL = 3
/** ETH_P_802_3_MIN; ETH_P_MPLS_UC and ETH_P_MPLS_MC. */
const PROTOCOL_MIN = 0x600
const UNICAST = 0x8847
const MULTICAST = 0x8848
const TTL = 255

const policy = message(
  attrs('TCA_MPLS_', {
    parms: [2, binary.exact(SIZE)],
    proto: [4, u16],
    label: [5, binary],
    tc: [6, u8.range(0, 7)],
    ttl: [7, u8.min(1)],
    bos: [8, u8.range(0, 1)],
  }),
)
type Options = ReturnType<typeof policy.decode>

interface Mpls {
  readonly what: number
  readonly label: number | undefined
  readonly tc: number | undefined
  readonly ttl: number
  readonly bos: number | undefined
  readonly proto: number
}

function protoOf({ proto }: Options): number | undefined {
  if (proto === undefined) return undefined
  return HOST_LE ? ((proto & 0xff) << 8) | (proto >> 8) : proto
}

const fail = (text: string): never => refuse('EINVAL', `act_mpls: ${text}`)

function labelOf({ label }: Options): number | undefined {
  if (!label) return undefined
  if (label.length !== 4) return fail('Invalid MPLS label length')
  const value = u32At(label, 0)
  return value > LABEL_MAX || value === IMPLICIT_NULL ? fail('MPLS label out of range') : value
}

/** Whether the options fit what is to be done. @throws NetlinkError EINVAL, EPROTONOSUPPORT */
function check(what: number, asked: Options): void {
  const { label, ttl, tc, bos } = asked
  const proto = protoOf(asked)
  const hasParts = [label, ttl, tc, bos].some((each) => each !== undefined)
  if (what === POP) {
    if (proto === undefined) fail('Protocol must be set for MPLS pop')
    if (proto !== undefined && proto < PROTOCOL_MIN) fail('Invalid protocol type for MPLS pop')
    if (hasParts) fail('Label, TTL, TC or BOS cannot be used with MPLS pop')
  } else if (what === DEC_TTL) {
    if (hasParts || proto !== undefined) {
      fail('Label, TTL, TC, BOS or protocol cannot be used with MPLS dec_ttl')
    }
  } else if (what === PUSH || what === MAC_PUSH) {
    if (!label) fail('Label is required for MPLS push')
    if (proto !== undefined && proto !== UNICAST && proto !== MULTICAST) {
      refuse('EPROTONOSUPPORT', 'act_mpls: Protocol must be an MPLS type for MPLS push')
    }
  } else if (what !== MODIFY) fail('Unknown MPLS action')
  else if (proto !== undefined) fail('Protocol cannot be used with MPLS modify')
}

export const mpls: ActionOps = {
  kind: 'mpls',
  parse({ ctx, options }) {
    if (!options) return fail('Missing netlink attributes')
    const asked = parseNested(ctx, options, policy, { level: NL_VALIDATE_STRICT })
    const label = labelOf(asked)
    if (!asked.parms) return fail('No MPLS params')
    const { parms } = asked
    const what = new DataView(parms.buffer, parms.byteOffset).getInt32(GEN_SIZE, HOST_LE)
    return {
      ...genOf(parms),
      finish() {
        check(what, asked)
        const ttl = asked.ttl ?? (what === PUSH || what === MAC_PUSH ? TTL : 0)
        const { tc, bos } = asked
        return { what, label, tc, ttl, bos, proto: protoOf(asked) ?? UNICAST } satisfies Mpls
      },
    }
  },
  put(w, action, shown) {
    const { what, label, tc, ttl, bos, proto } = action.state as Mpls
    putGen(w, 2, action, shown, [what])
    if (label !== undefined) w.attrU32(5, label)
    if (tc !== undefined) w.attrBytes(6, Uint8Array.of(tc))
    if (ttl) w.attrBytes(7, Uint8Array.of(ttl))
    if (bos !== undefined) w.attrBytes(8, Uint8Array.of(bos))
    w.attrBytes(4, Uint8Array.of(proto >> 8, proto & 0xff))
    putTimes(w, 1, shown)
  },
}
