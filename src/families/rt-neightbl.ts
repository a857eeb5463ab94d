/**
 * rt-neightbl: tables of neighbours, their sizes and timers.
 *
 * Kernel: include/uapi/linux/neighbour.h; net/core/neighbour.c neightbl_fill_info(),
 * neightbl_fill_param_info() (Linux 6.18). Times are in milliseconds.
 */
import { attrs, message, nest, rawFamily, string, struct, u16, u32, u64 } from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { addressFamily, RTM_GETNEIGHTBL, RTM_NEWNEIGHTBL, RTM_SETNEIGHTBL } from './rtnetlink.ts'

export const ndtmsg = struct('ndtmsg', { family: addressFamily, pad1: 1, pad2: 2 })

export const ndtConfig = struct('ndt_config', {
  /** Bytes. */
  keyLen: u16,
  entrySize: u16,
  entries: u32,
  /** Since then. */
  lastFlush: u32,
  lastRand: u32,
  hashRnd: u32,
  hashMask: u32,
  hashChainGc: u32,
  proxyQlen: u32,
})

export const ndtStats = struct('ndt_stats', {
  allocs: u64,
  destroys: u64,
  hashGrows: u64,
  resFailed: u64,
  lookups: u64,
  hits: u64,
  rcvProbesMcast: u64,
  rcvProbesUcast: u64,
  periodicGcRuns: u64,
  forcedGcRuns: u64,
  tableFulls: u64,
}).since(8)

const parmsDefinitions = {
  /** Of one link; absent in the table's defaults. */
  ifindex: [1, u32],
  refcnt: [2, u32],
  queueLenbytes: [16, u32],
  /** Packets. */
  queueLen: [8, u32],
  proxyQlen: [14, u32],
  appProbes: [9, u32],
  ucastProbes: [10, u32],
  mcastProbes: [11, u32],
  mcastReprobes: [17, u32],
  reachableTime: [3, u64],
  baseReachableTime: [4, u64],
  gcStaletime: [6, u64],
  delayProbeTime: [7, u64],
  retransTime: [5, u64],
  anycastDelay: [12, u64],
  proxyDelay: [13, u64],
  locktime: [15, u64],
  intervalProbeTimeMs: [19, u64],
} as const
export interface ParmsDefinitions extends Readonly<typeof parmsDefinitions> {}
export const ndtParmsAttrs = attrs('NDTPA_', parmsDefinitions as ParmsDefinitions)

export const ndtAttrs = attrs('NDTA_', {
  name: [1, string],
  gcInterval: [8, u64],
  /** Entries: below the first none is collected, above the third there are no more. */
  thresh1: [2, u32],
  thresh2: [3, u32],
  thresh3: [4, u32],
  config: [5, ndtConfig],
  stats: [7, ndtStats],
  parms: [6, nest(ndtParmsAttrs, 'noflag')],
})

const table = message(ndtmsg, ndtAttrs)

export const rtNeightbl = rawFamily({
  name: 'rt-neightbl',
  protocol: NETLINK_ROUTE,
  ops: {
    /** Of each table a message, and one for each link that has parameters of its own. */
    getNeightbl: {
      cmd: RTM_GETNEIGHTBL,
      replyCmd: RTM_NEWNEIGHTBL,
      constant: 'RTM_GETNEIGHTBL',
      dump: { request: message(ndtmsg), reply: table },
    },
    setNeightbl: {
      cmd: RTM_SETNEIGHTBL,
      constant: 'RTM_SETNEIGHTBL',
      do: {
        request: message(
          ndtmsg,
          ndtAttrs.only('name', 'thresh1', 'thresh2', 'thresh3', 'gcInterval', 'parms'),
        ),
      },
    },
  },
})
