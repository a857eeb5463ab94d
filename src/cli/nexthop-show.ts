/** Next hops, their groups and buckets, as ip(8) shows them. */
import type { Nexthop, NexthopBucket } from '../index.ts'
import { showEncap } from './encap-show.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS, SCOPES } from './names.ts'
import type { Printer } from './printer.ts'
import { showDevice, showGateway, showRouteFlags } from './route-show.ts'

function showGroup(p: Printer, { group }: Nexthop): void {
  if (!group) return
  p.openList('group')
  p.text('group ')
  for (const [i, { id, weight }] of group.entries()) {
    p.open()
    if (i > 0) p.text('/')
    p.both('id', id, `${id}`)
    if (weight > 1) p.both('weight', weight, `,${weight}`)
    p.close()
  }
  p.text(' ')
  p.closeList()
}

/** Hundredths of a second, as C's %g has seconds. */
function seconds(hundredths: number | bigint): number {
  return Number((Number(hundredths) / 100).toPrecision(6))
}

function showResilient(p: Printer, { resGroup }: Nexthop): void {
  if (!resGroup) return
  const { buckets = 0, idleTimer = 0, unbalancedTimer = 0, unbalancedTime = 0n } = resGroup
  p.open('resilient_args')
  p.both('buckets', buckets, `buckets ${buckets} `)
  const times = [
    ['idle_timer', idleTimer],
    ['unbalanced_timer', unbalancedTimer],
    ['unbalanced_time', unbalancedTime],
  ] as const
  for (const [name, time] of times) p.both(name, seconds(time), `${name} ${seconds(time)} `)
  p.close()
}

/** A next hop without the end of its line. */
export function showNexthop(p: Printer, hop: Nexthop, names: LinkNames, details: boolean): void {
  const { id, groupType, gateway, oif, scope, blackhole, protocol, fdb } = hop
  p.both('id', id, `id ${id} `)
  showGroup(p, hop)
  if (groupType !== undefined && groupType !== 'mpath')
    p.both('type', String(groupType), `type ${groupType} `)
  showResilient(p, hop)
  showEncap(p, hop, names)
  showGateway(p, gateway, gateway?.includes(':') ? 'inet6' : 'inet')
  showDevice(p, oif, names)
  if (scope !== 'universe' || details) {
    const name = SCOPES.name(scope)
    p.both('scope', name, `scope ${name} `)
  }
  if (blackhole) p.both('blackhole', null, 'blackhole ')
  if (protocol !== 'unspec' || details) {
    const name = PROTOCOLS.name(protocol)
    p.both('protocol', name, `proto ${name} `)
  }
  showRouteFlags(p, hop.flags)
  if (fdb) p.both('fdb', null, 'fdb')
}

/** A bucket of a resilient group, with the end of its line. */
export function showBucket(p: Printer, bucket: NexthopBucket): void {
  const { id, index, idleTime, nhId } = bucket
  p.both('id', id, `id ${id} `)
  p.open('bucket')
  if (index !== undefined) p.both('index', index, `index ${index} `)
  if (idleTime !== undefined)
    p.both('idle_time', seconds(idleTime), `idle_time ${seconds(idleTime)} `)
  if (nhId !== undefined) p.both('nhid', nhId, `nhid ${nhId} `)
  p.close()
  showRouteFlags(p, bucket.flags)
  p.text('\n')
}
