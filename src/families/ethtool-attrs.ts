/**
 * Attributes of ethtool's messages: a header that names the device, then what is told of it.
 *
 * Kernel: include/uapi/linux/ethtool_netlink.h; Documentation/networking/ethtool-netlink.rst
 * (Linux 6.18).
 */
import { attrs, binary, bits, flag, message, multi, string, u8, u32, u64 } from '../schema/index.ts'

/** Bit sets without the names of their bits. */
export const ETHTOOL_FLAG_COMPACT_BITSETS = 1
export const ETHTOOL_FLAG_OMIT_REPLY = 2
export const ETHTOOL_FLAG_STATS = 4

export const headerAttrs = attrs('ETHTOOL_A_HEADER_', {
  devIndex: [1, u32],
  devName: [2, string],
  flags: [
    3,
    bits(
      u32,
      { ETHTOOL_FLAG_COMPACT_BITSETS, ETHTOOL_FLAG_OMIT_REPLY, ETHTOOL_FLAG_STATS },
      'ETHTOOL_FLAG_',
    ),
  ],
  phyIndex: [4, u32],
})

export const stringAttrs = attrs('ETHTOOL_A_STRING_', { index: [1, u32], value: [2, string] })

export const stringsAttrs = attrs('ETHTOOL_A_STRINGS_', { string: [1, multi(stringAttrs)] })

export const stringsetAttrs = attrs('ETHTOOL_A_STRINGSET_', {
  id: [1, u32],
  count: [2, u32],
  strings: [3, multi(stringsAttrs)],
})

export const stringsetsAttrs = attrs('ETHTOOL_A_STRINGSETS_', {
  stringset: [1, multi(stringsetAttrs)],
})

export const strsetAttrs = attrs('ETHTOOL_A_STRSET_', {
  header: [1, headerAttrs],
  stringsets: [2, stringsetsAttrs],
  countsOnly: [3, flag],
})

export const strset = message(strsetAttrs)

export const linkinfoAttrs = attrs('ETHTOOL_A_LINKINFO_', {
  header: [1, headerAttrs],
  port: [2, u8],
  phyaddr: [3, u8],
  tpMdix: [4, u8],
  tpMdixCtrl: [5, u8],
  transceiver: [6, u8],
})

export const linkinfo = message(linkinfoAttrs)

export const bitsetBitAttrs = attrs('ETHTOOL_A_BITSET_BIT_', {
  index: [1, u32],
  name: [2, string],
  value: [3, flag],
})

export const bitsetBitsAttrs = attrs('ETHTOOL_A_BITSET_BITS_', { bit: [1, multi(bitsetBitAttrs)] })

export const bitsetAttrs = attrs('ETHTOOL_A_BITSET_', {
  nomask: [1, flag],
  size: [2, u32],
  bits: [3, bitsetBitsAttrs],
  value: [4, binary],
  mask: [5, binary],
})

export const linkmodesAttrs = attrs('ETHTOOL_A_LINKMODES_', {
  header: [1, headerAttrs],
  autoneg: [2, u8],
  ours: [3, bitsetAttrs],
  peer: [4, bitsetAttrs],
  speed: [5, u32],
  duplex: [6, u8],
  masterSlaveCfg: [7, u8],
  masterSlaveState: [8, u8],
  lanes: [9, u32],
  rateMatching: [10, u8],
})

export const linkmodes = message(linkmodesAttrs)

export const linkstateAttrs = attrs('ETHTOOL_A_LINKSTATE_', {
  header: [1, headerAttrs],
  link: [2, u8],
  sqi: [3, u32],
  sqiMax: [4, u32],
  extState: [5, u8],
  extSubstate: [6, u8],
  extDownCnt: [7, u32],
})

export const linkstate = message(linkstateAttrs)

export const debugAttrs = attrs('ETHTOOL_A_DEBUG_', {
  header: [1, headerAttrs],
  msgmask: [2, bitsetAttrs],
})

export const debug = message(debugAttrs)

export const wolAttrs = attrs('ETHTOOL_A_WOL_', {
  header: [1, headerAttrs],
  modes: [2, bitsetAttrs],
  sopass: [3, binary],
})

export const wol = message(wolAttrs)

export const featuresAttrs = attrs('ETHTOOL_A_FEATURES_', {
  header: [1, headerAttrs],
  hw: [2, bitsetAttrs],
  wanted: [3, bitsetAttrs],
  active: [4, bitsetAttrs],
  nochange: [5, bitsetAttrs],
})

export const features = message(featuresAttrs)

export const privflagsAttrs = attrs('ETHTOOL_A_PRIVFLAGS_', {
  header: [1, headerAttrs],
  flags: [2, bitsetAttrs],
})

export const privflags = message(privflagsAttrs)

const ringsDefinitions = {
  header: [1, headerAttrs],
  rxMax: [2, u32],
  rxMiniMax: [3, u32],
  rxJumboMax: [4, u32],
  txMax: [5, u32],
  rx: [6, u32],
  rxMini: [7, u32],
  rxJumbo: [8, u32],
  tx: [9, u32],
  rxBufLen: [10, u32],
  tcpDataSplit: [11, u8],
  cqeSize: [12, u32],
  txPush: [13, u8],
  rxPush: [14, u8],
  txPushBufLen: [15, u32],
  txPushBufLenMax: [16, u32],
} as const
export interface RingsDefinitions extends Readonly<typeof ringsDefinitions> {}

export const ringsAttrs = attrs('ETHTOOL_A_RINGS_', ringsDefinitions as RingsDefinitions)

export const rings = message(ringsAttrs)

export const channelsAttrs = attrs('ETHTOOL_A_CHANNELS_', {
  header: [1, headerAttrs],
  rxMax: [2, u32],
  txMax: [3, u32],
  otherMax: [4, u32],
  combinedMax: [5, u32],
  rxCount: [6, u32],
  txCount: [7, u32],
  otherCount: [8, u32],
  combinedCount: [9, u32],
})

export const channels = message(channelsAttrs)

const coalesceDefinitions = {
  header: [1, headerAttrs],
  rxUsecs: [2, u32],
  rxMaxFrames: [3, u32],
  rxUsecsIrq: [4, u32],
  rxMaxFramesIrq: [5, u32],
  txUsecs: [6, u32],
  txMaxFrames: [7, u32],
  txUsecsIrq: [8, u32],
  txMaxFramesIrq: [9, u32],
  statsBlockUsecs: [10, u32],
  useAdaptiveRx: [11, u8],
  useAdaptiveTx: [12, u8],
  pktRateLow: [13, u32],
  rxUsecsLow: [14, u32],
  rxMaxFramesLow: [15, u32],
  txUsecsLow: [16, u32],
  txMaxFramesLow: [17, u32],
  pktRateHigh: [18, u32],
  rxUsecsHigh: [19, u32],
  rxMaxFramesHigh: [20, u32],
  txUsecsHigh: [21, u32],
  txMaxFramesHigh: [22, u32],
  rateSampleInterval: [23, u32],
  useCqeModeTx: [24, u8],
  useCqeModeRx: [25, u8],
  txAggrMaxBytes: [26, u32],
  txAggrMaxFrames: [27, u32],
  txAggrTimeUsecs: [28, u32],
} as const
export interface CoalesceDefinitions extends Readonly<typeof coalesceDefinitions> {}

export const coalesceAttrs = attrs(
  'ETHTOOL_A_COALESCE_',
  coalesceDefinitions as CoalesceDefinitions,
)

export const coalesce = message(coalesceAttrs)

export const pauseStatAttrs = attrs('ETHTOOL_A_PAUSE_STAT_', {
  txFrames: [2, u64],
  rxFrames: [3, u64],
})

export const pauseAttrs = attrs('ETHTOOL_A_PAUSE_', {
  header: [1, headerAttrs],
  autoneg: [2, u8],
  rx: [3, u8],
  tx: [4, u8],
  stats: [5, pauseStatAttrs],
  statsSrc: [6, u32],
})

export const pause = message(pauseAttrs)

export const eeeAttrs = attrs('ETHTOOL_A_EEE_', {
  header: [1, headerAttrs],
  modesOurs: [2, bitsetAttrs],
  modesPeer: [3, bitsetAttrs],
  active: [4, u8],
  enabled: [5, u8],
  txLpiEnabled: [6, u8],
  txLpiTimer: [7, u32],
})

export const eee = message(eeeAttrs)

export const tsinfoAttrs = attrs('ETHTOOL_A_TSINFO_', {
  header: [1, headerAttrs],
  timestamping: [2, bitsetAttrs],
  txTypes: [3, bitsetAttrs],
  rxFilters: [4, bitsetAttrs],
  phcIndex: [5, u32],
})

export const tsinfo = message(tsinfoAttrs)
