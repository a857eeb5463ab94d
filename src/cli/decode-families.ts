/** Which family a datagram is of: by protocol, and of generic ones by what the capture said of them. */

import type { Frame } from '../capture/index.ts'
import { nlctrl } from '../families/nlctrl.ts'
import { loadFamily } from '../families/registry.ts'
import { rtAddr } from '../families/rt-addr.ts'
import { rtLink } from '../families/rt-link.ts'
import { rtNeigh } from '../families/rt-neigh.ts'
import { rtRoute } from '../families/rt-route.ts'
import { rtRule } from '../families/rt-rule.ts'
import type { Family, FamilyLookup } from '../schema/index.ts'
import { MessageWalker, viewOf } from '../wire/index.ts'
import { UsageError } from './exit.ts'

/** NETLINK_…, by number (include/uapi/linux/netlink.h). */
const PROTOCOLS: readonly string[] = [
  'route',
  'unused',
  'usersock',
  'firewall',
  'sock_diag',
  'nflog',
  'xfrm',
  'selinux',
  'iscsi',
  'audit',
  'fib_lookup',
  'connector',
  'netfilter',
  'ip6_fw',
  'dnrtmsg',
  'kobject_uevent',
  'generic',
  'dm',
  'scsitransport',
  'ecryptfs',
  'rdma',
  'crypto',
  'smc',
]
const ROUTE = 0
const GENERIC = 16
const GENL_ID_CTRL = 16
const CTRL_CMD_NEWFAMILY = 1
const GENL_HDRLEN = 4

export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? `protocol ${protocol}`
}

/** @throws UsageError */
export function protocolNumber(word: string): number {
  const named = PROTOCOLS.indexOf(word.toLowerCase().replace(/^netlink_/, ''))
  if (named >= 0) return named
  if (/^\d{1,2}$/.test(word)) return Number(word)
  throw new UsageError(`there is no netlink protocol "${word}"`)
}

const routes = [rtLink, rtAddr, rtRoute, rtNeigh, rtRule] as const

/** What a capture has taught so far. */
export class Families {
  readonly #generic = new Map<number, Family>([[GENL_ID_CTRL, nlctrl]])

  /** Families of the frame's protocol; what it says of generic families is remembered. */
  async lookup({ protocol, bytes, toKernel }: Frame): Promise<FamilyLookup> {
    if (protocol === ROUTE) return routes
    if (protocol !== GENERIC) return []
    if (!toKernel) await this.#learn(bytes)
    return (type) => this.#generic.get(type)
  }
  async #learn(bytes: Uint8Array): Promise<void> {
    const view = viewOf(bytes)
    const walker = new MessageWalker(view)
    while (walker.next()) {
      const { type, payload, end } = walker
      const isFamily =
        type === GENL_ID_CTRL &&
        end - payload > GENL_HDRLEN &&
        view.getUint8(payload) === CTRL_CMD_NEWFAMILY
      if (!isFamily) continue
      const reply = nlctrl.ops.getFamily.do?.reply
      try {
        const { familyId, familyName } = reply?.decode(view, payload + GENL_HDRLEN, end) ?? {}
        const family = familyName === undefined ? undefined : await loadFamily(familyName)
        if (familyId !== undefined && family) this.#generic.set(familyId, family)
      } catch {
        // Bytes that are no description teach nothing; they are shown as they are.
      }
    }
  }
}
