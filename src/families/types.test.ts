/** What the compiler infers from the families: requests, replies, notifications, unions, mistakes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  GroupName,
  Infer,
  Input,
  Notification,
  OpsWith,
  Reply,
  ReplyInput,
  Request,
  RequestInput,
} from '../schema/index.ts'
import type { nlctrl } from './nlctrl.ts'
import type { rtAddr } from './rt-addr.ts'
import { type linkinfoAttrs, rtLink } from './rt-link.ts'
import type { rtNeigh } from './rt-neigh.ts'
import type { rtRoute } from './rt-route.ts'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Extends<A, B> = A extends B ? true : false
const is = <T extends true>(_?: T): void => {}

test('operations and groups are known by name', () => {
  is<Equal<OpsWith<typeof nlctrl, 'do'>, 'getFamily'>>()
  is<Equal<OpsWith<typeof nlctrl, 'dump'>, 'getFamily' | 'getPolicy'>>()
  is<Equal<GroupName<typeof nlctrl>, 'notify'>>()
  is<Equal<OpsWith<typeof rtLink, 'dump'>, 'getLink'>>()
  is<Equal<GroupName<typeof rtLink>, 'link' | 'ipv6Ifinfo'>>()
  is<Extends<'newLink' | 'setLink' | 'delLink' | 'getLink', OpsWith<typeof rtLink, 'do'>>>()
})

test('requests and replies: what must be there is, what may be absent may', () => {
  type Family = Reply<typeof nlctrl, 'getFamily'>
  is<Equal<Family['familyId'], number>>()
  is<Equal<Family['familyName'], string>>()
  is<Equal<NonNullable<Family['ops']>[number]['id'], number | undefined>>()
  is<Equal<Request<typeof nlctrl, 'getFamily'>['familyName'], string | undefined>>()
  is<Equal<RequestInput<typeof nlctrl, 'getFamily'>['familyId'], number | undefined>>()
  type Policy = NonNullable<Reply<typeof nlctrl, 'getPolicy', 'dump'>['policy']>[number]
  is<Equal<Policy['key'], number>>()
  is<Equal<Policy['value'][number]['value']['maxLength'], number | undefined>>()
  is<Equal<Reply<typeof rtLink, 'newLink'>, undefined>>()
  is<Equal<ReplyInput<typeof rtLink, 'delLink'>, undefined>>()

  type Link = Reply<typeof rtLink, 'getLink', 'dump'>
  is<Equal<Link['ifindex'], number>>()
  is<Equal<Link['ifname'], string | undefined>>()
  is<Equal<NonNullable<Link['stats64']>['rxBytes'], bigint>>()
  is<Equal<NonNullable<Link['propList']>['altIfname'], string[] | undefined>>()
  type Spec = NonNullable<Link['afSpec']>
  is<
    Equal<
      NonNullable<Spec['inet']>['conf'] extends infer C | undefined ? keyof C & 'rpFilter' : never,
      'rpFilter'
    >
  >()
  is<Equal<NonNullable<Spec['vlanInfo']>[number]['vid'], number>>()
  type Address = Reply<typeof rtAddr, 'getAddr', 'dump'>
  is<Equal<Address['address'], string | undefined>>()
  is<Equal<Address['ifindex'], number>>()
  type Route = Reply<typeof rtRoute, 'getRoute'>
  is<Equal<Route['dst'], string | undefined>>()
  is<Equal<NonNullable<Route['multipath']>[number]['gateway'], string | undefined>>()
  is<Equal<NonNullable<Route['multipath']>[number]['ifindex'], number>>()
  is<Equal<RequestInput<typeof rtRoute, 'newRoute'>['dst'], string | Uint8Array | undefined>>()
  is<Equal<Reply<typeof rtNeigh, 'getNeigh'>['viaIfindex'], number | undefined>>()
})

test('notifications are told apart by name', () => {
  type Event = Notification<typeof nlctrl>
  is<Equal<Event['name'], 'newFamily' | 'delFamily' | 'newMcastGrp' | 'delMcastGrp'>>()
  const event = { name: 'delMcastGrp', value: { familyName: 'a', familyId: 1, mcastGroups: [] } }
  const heard = event as Event
  if (heard.name === 'delMcastGrp') {
    is<Equal<(typeof heard.value.mcastGroups)[number]['name'], string | undefined>>()
    // @ts-expect-error a group's notification says nothing of operations
    assert.equal(heard.value.ops, undefined)
  }
  is<Equal<Notification<typeof rtLink>['name'], 'newLink' | 'delLink'>>()
})

test('the kind of a link decides what its data is', () => {
  type Info = Infer<typeof linkinfoAttrs>
  const info = { kind: 'vlan', data: { id: 5 } } as Info
  if (info.kind === 'vlan') is<Equal<NonNullable<typeof info.data>['id'], number | undefined>>()
  if (info.kind === 'vxlan') {
    is<Equal<NonNullable<typeof info.data>['port'], number | undefined>>()
    // @ts-expect-error a VXLAN has no bridge's attribute
    assert.equal(info.data?.stpState, undefined)
  }
  if (info.slaveKind === 'bridge') {
    type State = NonNullable<NonNullable<typeof info.slaveData>['state']>
    is<Extends<'forwarding', State>>()
  }
  if (info.kind === 'veth') {
    is<Equal<NonNullable<NonNullable<typeof info.data>['peer']>['ifname'], string | undefined>>()
  }
  const vxlan: Input<typeof linkinfoAttrs> = { kind: 'vxlan', data: { id: 7, port: 4789 } }
  const none: Input<typeof linkinfoAttrs> = { kind: 'dummy' }
  const other: Input<typeof linkinfoAttrs> = { kind: 'batadv', unknown: [] }
  // @ts-expect-error a VLAN has no port
  const wrong: Input<typeof linkinfoAttrs> = { kind: 'vlan', data: { port: 4789 } }
  // @ts-expect-error data of a kind that is not said
  const bare: Input<typeof linkinfoAttrs> = { data: { id: 7 } }
  assert.ok([vxlan, none, other, wrong, bare])
})

test('mistakes in requests do not compile', () => {
  type New = RequestInput<typeof rtLink, 'newLink'>
  const good: New = {
    ifname: 'v0',
    mtu: 1500,
    linkinfo: { kind: 'veth', data: { peer: { ifname: 'v1' } } },
    afSpec: { inet: { conf: { forwarding: 1 } }, inet6: { addrGenMode: 'none' } },
  }
  // @ts-expect-error a name that is not an attribute
  const typo: New = { ifnmae: 'v0' }
  // @ts-expect-error a value of another type
  const type: New = { mtu: '1500' }
  // @ts-expect-error an attribute that getLink does not take
  const foreign: RequestInput<typeof rtLink, 'getLink'> = { mtu: 1500 }
  // @ts-expect-error a word that the enumeration does not have
  const word: New = { operstate: 'sideways' }
  assert.ok([good, typo, type, foreign, word])
  assert.equal(rtLink.ops.newLink.cmd, 16)
  is<Equal<typeof rtLink.ops.newLink.cmd, 16>>()
})
