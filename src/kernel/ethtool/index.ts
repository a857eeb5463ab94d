/**
 * The family `ethtool` for simulated links: what ethtool(8) shows of them. Nothing can be set, as
 * their drivers do not let it be set.
 *
 * Kernel: net/ethtool/netlink.c, strset.c, linkinfo.c, linkmodes.c, linkstate.c, features.c,
 * channels.c, tsinfo.c (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { ethtool } from '../../families/ethtool.ts'
import { ETHTOOL_FLAG_COMPACT_BITSETS } from '../../families/ethtool-attrs.ts'
import type { RegisteredFamily } from '../genetlink/registered-family.ts'
import type { Kernel } from '../kernel.ts'
import type { NetDevice } from '../net/device.ts'
import type { Net } from '../net-namespace.ts'
import { putBitset } from './bitset.ts'
import { hasPorts, opsOf } from './kinds.ts'
import { FEATURES, LINK_MODES, TIMESTAMPING } from './strings.ts'

/** enum ethtool_stringset. */
const SETS: Readonly<Record<number, readonly string[]>> = {
  4: FEATURES,
  9: LINK_MODES,
  12: TIMESTAMPING,
}
/** NETIF_F_NEVER_CHANGE's bits that are shown. */
const NEVER_CHANGE = 0x400n
const FEATURE_BITS = 64
const REQUEST_MISSING = 'request header missing'

interface Header {
  readonly devIndex?: number | undefined
  readonly devName?: string | undefined
  readonly flags?: number | undefined
}
interface Request {
  readonly header?: Header | undefined
}
interface Context {
  readonly net: Net
}

function refuse(code: string, message: string, attribute?: string): NetlinkError {
  return new NetlinkError(code, { extack: { message, attribute } })
}

/** What is told of one device, without the header that names it. @throws NetlinkError EOPNOTSUPP */
type Tell<Reply> = (dev: NetDevice, isCompact: boolean) => Reply

const named = ({ ifindex, name }: NetDevice) => ({ devIndex: ifindex, devName: name })
const unsupported = (): never => {
  throw new NetlinkError('EOPNOTSUPP')
}

function linkOf(dev: NetDevice): { port: number; speed: number; duplex: number } {
  const { link } = opsOf(dev)
  if (!link) throw refuse('EOPNOTSUPP', 'failed to retrieve link settings')
  return link(dev)
}

function linkinfo(dev: NetDevice) {
  const { port } = linkOf(dev)
  return { port, phyaddr: 0, tpMdix: 0, tpMdixCtrl: 0, transceiver: 0 }
}
function linkmodes(dev: NetDevice, isCompact: boolean) {
  const { speed, duplex } = linkOf(dev)
  const none = { size: LINK_MODES.length, value: 0n, mask: 0n }
  const ours = putBitset(none, LINK_MODES, isCompact)
  return { autoneg: 0, ours, speed, duplex, rateMatching: 0 }
}
function linkstate(dev: NetDevice) {
  return opsOf(dev).hasLink ? { link: Number(dev.isUp && dev.hasCarrier) } : {}
}
function features(dev: NetDevice, isCompact: boolean) {
  const { features, lostToPorts = 0n } = opsOf(dev)
  const { hw, wanted } = features
  const active = hasPorts(dev) ? features.active & ~lostToPorts : features.active
  const put = (value: bigint, mask?: bigint) =>
    putBitset(
      { size: FEATURE_BITS, value, ...(mask === undefined ? {} : { mask }) },
      FEATURES,
      isCompact,
    )
  return {
    hw: put(hw, (1n << BigInt(FEATURE_BITS)) - 1n),
    wanted: put(wanted),
    active: put(active),
    nochange: put(NEVER_CHANGE),
  }
}
function tsinfo(dev: NetDevice, isCompact: boolean) {
  const bits = { size: TIMESTAMPING.length, value: opsOf(dev).timestamping }
  return { timestamping: putBitset(bits, TIMESTAMPING, isCompact) }
}
function channels(dev: NetDevice) {
  if (!opsOf(dev).hasChannels) return unsupported()
  const { rxQueues, txQueues } = dev
  return { rxMax: rxQueues, rxCount: 1, txMax: txQueues, txCount: 1 }
}

/** Registers the family with `kernel`. @throws NetlinkError EEXIST when it is there already. */
export function registerEthtool(kernel: Kernel): RegisteredFamily<typeof ethtool> {
  /** ethnl_parse_header_dev_get(). */
  const find = (header: Header | undefined, net: Net): NetDevice => {
    if (!header) throw refuse('EINVAL', REQUEST_MISSING)
    const { devIndex, devName } = header
    const { devices } = kernel.rtnl.stackOf(net)
    if (devIndex !== undefined) {
      const dev = devices.byIndex(devIndex)
      if (!dev) throw refuse('ENODEV', 'no device matches ifindex', 'header.devIndex')
      if (devName === undefined || dev.name === devName) return dev
      throw refuse('ENODEV', 'ifindex and name do not match', 'header')
    }
    if (devName === undefined)
      throw refuse('EINVAL', 'neither ifindex nor name specified', 'header')
    const dev = devices.byName(devName)
    if (dev) return dev
    throw refuse('ENODEV', 'no device matches name', 'header.devName')
  }
  const isCompact = ({ header }: Request): boolean =>
    ((header?.flags ?? 0) & ETHTOOL_FLAG_COMPACT_BITSETS) !== 0
  const tells = <Reply extends object>(tell: Tell<Reply>) => ({
    doit(request: Request, { net }: Context) {
      const dev = find(request.header, net)
      return { header: named(dev), ...tell(dev, isCompact(request)) }
    },
    *dumpit(request: Request, { net }: Context) {
      for (const dev of kernel.rtnl.stackOf(net).devices.list()) {
        try {
          yield { header: named(dev), ...tell(dev, isCompact(request)) }
        } catch (error) {
          if (!isNetlinkError(error, 'EOPNOTSUPP')) throw error
        }
      }
    },
  })
  return kernel.genl.registerFamily(
    ethtool,
    {
      strsetGet: {
        doit({ header, stringsets, countsOnly }, { net }) {
          if (!header) throw refuse('EINVAL', REQUEST_MISSING)
          const isOfDevice = header.devIndex !== undefined || header.devName !== undefined
          const dev = isOfDevice ? find(header, net) : undefined
          const stringset = (stringsets?.stringset ?? []).map(({ id = 0 }) => {
            const names = SETS[id]
            if (!names) throw new NetlinkError(dev ? 'EOPNOTSUPP' : 'EINVAL')
            const string = names.map((value, index) => ({ index, value }))
            const counted = { id, count: names.length }
            return countsOnly ? counted : { ...counted, strings: [{ string }] }
          })
          return { ...(dev ? { header: named(dev) } : {}), stringsets: { stringset } }
        },
      },
      linkinfoGet: tells(linkinfo),
      linkmodesGet: tells(linkmodes),
      linkstateGet: tells(linkstate),
      featuresGet: tells(features),
      tsinfoGet: tells(tsinfo),
      channelsGet: tells(channels),
      debugGet: tells(unsupported),
      wolGet: tells(unsupported),
      privflagsGet: tells(unsupported),
      ringsGet: tells(unsupported),
      coalesceGet: tells(unsupported),
      pauseGet: tells(unsupported),
      eeeGet: tells(unsupported),
    },
    { parallelOps: true },
  )
}
