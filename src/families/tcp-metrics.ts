/**
 * tcp_metrics: what TCP remembers of the hosts that it spoke to, as `ip tcp_metrics` shows it.
 *
 * Kernel: include/uapi/linux/tcp_metrics.h; net/ipv4/tcp_metrics.c (Linux 6.18).
 */
import {
  attrs,
  binary,
  genlFamily,
  ipv4,
  ipv6,
  message,
  s32,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import { GENL_ADMIN_PERM } from '../wire/constants.ts'

export const TCP_METRICS_CMD_GET = 1
export const TCP_METRICS_CMD_DEL = 2

/** The kernel's tcp_metric_index, and one. */
export const metricsAttrs = attrs('TCP_METRICS_A_METRICS_', {
  /** Milliseconds, eight times the round trip. */
  rtt: [1, u32],
  /** Milliseconds, four times the variance. */
  rttvar: [2, u32],
  ssthresh: [3, u32],
  cwnd: [4, u32],
  /** The kernel's own spelling of its constant. */
  reordering: [5, u32, 'TCP_METRICS_A_METRICS_REODERING'],
  /** As `rtt` and `rttvar`, in microseconds. */
  rttUs: [6, u32],
  rttvarUs: [7, u32],
})

export const tcpMetricsAttrs = attrs('TCP_METRICS_ATTR_', {
  addrIpv4: [1, ipv4],
  addrIpv6: [2, ipv6],
  /** Milliseconds since it was last updated. */
  age: [3, u64],
  twTsval: [4, u32],
  twTsStamp: [5, s32],
  vals: [6, metricsAttrs],
  fopenMss: [7, u16],
  fopenSynDrops: [8, u16],
  fopenSynDropTs: [9, u64],
  fopenCookie: [10, binary],
  saddrIpv4: [11, ipv4],
  saddrIpv6: [12, ipv6],
})

const metrics = message(tcpMetricsAttrs)
const which = message(tcpMetricsAttrs.only('addrIpv4', 'addrIpv6', 'saddrIpv4', 'saddrIpv6'))

export const tcpMetrics = genlFamily({
  name: 'tcp_metrics',
  version: 1,
  maxattr: 13,
  ops: {
    /** One host's by its address, or all. */
    get: {
      cmd: TCP_METRICS_CMD_GET,
      constant: 'TCP_METRICS_CMD_GET',
      do: { request: which, reply: metrics },
      dump: { reply: metrics },
    },
    /** Forgets one host, or all when no address is given. */
    del: {
      cmd: TCP_METRICS_CMD_DEL,
      constant: 'TCP_METRICS_CMD_DEL',
      flags: GENL_ADMIN_PERM,
      do: { request: which },
    },
  },
})
