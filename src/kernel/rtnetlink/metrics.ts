/**
 * RTA_METRICS: what TCP and path MTU discovery start from.
 *
 * Kernel: net/ipv4/metrics.c ip_metrics_convert().
 */
import { NetlinkError } from '../../errors.ts'
import { string } from '../../schema/index.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Metrics } from '../net/fib4-info.ts'
import type { RequestContext } from '../netlink/context.ts'
import { invalid } from './parse.ts'
import type { Span } from './policy-types.ts'

const RTAX_MTU = 2
const RTAX_ADVMSS = 8
const RTAX_HOPLIMIT = 10
const RTAX_FEATURES = 12
const RTAX_CC_ALGO = 16
const RTAX_MAX = 17
/** ECN, SACK, TIMESTAMP, ALLFRAG, TCP_USEC_TS. */
const RTAX_FEATURE_MASK = 0x1f

/** The most that a metric can be; what is more counts as that. */
const CEILINGS: ReadonlyMap<number, number> = new Map([
  [RTAX_ADVMSS, 65_535 - 40],
  [RTAX_MTU, 65_535 - 15],
  [RTAX_HOPLIMIT, 255],
])
/** Congestion controls that the simulated host has. */
const CONGESTION_CONTROLS: ReadonlySet<string> = new Set(['reno', 'cubic'])

/** ip_metrics_convert(). @throws NetlinkError EINVAL */
export function parseMetrics(ctx: RequestContext, { at, end }: Span): Metrics {
  const metrics = new Map<number, number | string>()
  const walker = new AttributeWalker(ctx.view, at, end)
  while (walker.next()) {
    const { type } = walker
    if (type === 0) continue
    if (type > RTAX_MAX) invalid('Invalid metric type')
    const value = type === RTAX_CC_ALGO ? nameAt(walker) : valueAt(ctx, walker)
    if (value) metrics.set(type, value)
  }
  return metrics
}

function nameAt({ view, payload, end }: AttributeWalker): string {
  const name = string.get(view, payload, end)
  if (!CONGESTION_CONTROLS.has(name)) invalid('Unknown tcp congestion algorithm')
  return name
}

function valueAt(ctx: RequestContext, walker: AttributeWalker): number {
  const { view, type, start, payload, end } = walker
  if (end - payload !== 4) {
    const extack = { message: 'Invalid attribute in metrics', offset: start - ctx.start }
    throw new NetlinkError('EINVAL', { extack })
  }
  const value = Math.min(view.getUint32(payload, HOST_LE), CEILINGS.get(type) ?? 0xffffffff)
  if (type === RTAX_FEATURES && value & ~RTAX_FEATURE_MASK) {
    invalid('Unknown flag set in feature mask in metrics attribute')
  }
  return value
}
