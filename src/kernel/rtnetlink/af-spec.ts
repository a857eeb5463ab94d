/**
 * What the address families have to say of a link: IFLA_AF_SPEC, and IFLA_PROTINFO of IPv6.
 *
 * Kernel: net/ipv4/devinet.c inet_fill_link_af(); net/ipv6/addrconf.c inet6_fill_ifla6_attrs()
 * (Linux 6.18).
 */

import { afSpecAttrs } from '../../families/rt-link.ts'
import type { inet6Attrs } from '../../families/rt-link-attrs.ts'
import { IF_READY } from '../../families/rt-link-constants.ts'
import type { Input } from '../../schema/index.ts'
import { Writer } from '../../wire/writer.ts'
import type { Devconf4 } from '../net/devconf4.ts'
import type { Devconf6 } from '../net/devconf6.ts'
import type { NetDevice } from '../net/device.ts'

/** How many counters Linux has: the first entry of each list says it. */
const IPSTATS_MIB_MAX = 38
const ICMP6_MIB_MAX = 7
const ipstats = [IPSTATS_MIB_MAX, ...new Array<number>(IPSTATS_MIB_MAX - 1).fill(0)]
const icmp6stats = [ICMP6_MIB_MAX, ...new Array<number>(ICMP6_MIB_MAX - 1).fill(0)]
/** IPV6_MAXPLEN. */
const MAX_REASSEMBLED = 65535

/** All that the address families' parts of a link depend on. */
interface FamilyState {
  readonly withStats: boolean
  readonly conf4: Devconf4 | undefined
  readonly conf6: Devconf6 | undefined
  readonly isReady: boolean
  /** Hundredths of a second since boot. */
  readonly tstamp: number
}

function stateOf({ inet, inet6 }: NetDevice, withStats: boolean): FamilyState {
  return {
    withStats,
    conf4: inet?.conf,
    conf6: inet6?.conf,
    isReady: inet6?.isReady ?? false,
    tstamp: Math.floor((inet6?.updated ?? 0) / 10),
  }
}

/** inet6_fill_ifla6_attrs(): with IPv6's counters unless they are not wanted. */
function describeState6(state: FamilyState, conf: Devconf6): Input<typeof inet6Attrs> {
  return {
    flags: state.isReady ? IF_READY : 0,
    cacheinfo: {
      maxReasmLen: MAX_REASSEMBLED,
      tstamp: state.tstamp,
      reachableTime: 30_000,
      retransTime: 1000,
    },
    conf: conf.values(),
    ...(state.withStats ? { stats: ipstats, icmp6stats } : {}),
    token: '::',
    addrGenMode: conf.get('addrGenMode'),
  }
}

/** IPv6's part of a link, as IFLA_PROTINFO of AF_INET6 has it; for a device that has IPv6. */
export function describeInet6(dev: NetDevice): Input<typeof inet6Attrs> {
  const state = stateOf(dev, true)
  return state.conf6 ? describeState6(state, state.conf6) : {}
}

/** What was last written of a device, and the state that it was written from. */
const written = new WeakMap<NetDevice, { readonly key: string; readonly bytes: Uint8Array }>()

/** rtnl_fill_link_af(): the content of IFLA_AF_SPEC, written again only where something changed. */
export function encodeAfSpec(dev: NetDevice, withStats: boolean): Uint8Array {
  const state = stateOf(dev, withStats)
  const { conf4, conf6, isReady, tstamp } = state
  const key = `${withStats} ${conf4?.version} ${conf6?.version} ${isReady} ${tstamp}`
  const known = written.get(dev)
  if (known?.key === key) return known.bytes
  const w = new Writer()
  afSpecAttrs.put(w, {
    ...(conf4 ? { inet: { conf: conf4.values() } } : {}),
    ...(conf6 ? { inet6: describeState6(state, conf6) } : {}),
  })
  const bytes = w.finish()
  written.set(dev, { key, bytes })
  return bytes
}
