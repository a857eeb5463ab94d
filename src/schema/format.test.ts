/** Messages as text: the kernel's names, places that agree with the extack's, and no bytes that throw. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nlctrl } from '../families/nlctrl.ts'
import { nlmsgerrAttrs } from '../families/nlmsgerr.ts'
import { rtLink } from '../families/rt-link.ts'
import { rtRoute } from '../families/rt-route.ts'
import { RTM_NEWLINK, RTM_NEWROUTE } from '../families/rtnetlink.ts'
import {
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  Writer,
} from '../wire/index.ts'
import { attrs } from './attrs.ts'
import { genlFamily } from './family.ts'
import { formatMessage, formatValue, summarizeMessage } from './format.ts'
import { u32 } from './integer.ts'
import { type Message, message } from './message.ts'
import { struct } from './struct.ts'

function encode<In>(
  type: number,
  flags: number,
  body: Message<unknown, In>,
  value: In,
): Uint8Array<ArrayBuffer> {
  const w = new Writer()
  const mark = w.messageStart(type, flags, 1, 0)
  body.encode(w, value)
  w.messageEnd(mark)
  return w.finish()
}

/** Lines without the blanks that align them. */
const squeeze = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/ +/g, ' '))

const newLink = encode(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, rtLink.ops.newLink.do.request, {
  ifindex: 3,
  flags: 1,
  change: 1,
  ifname: 'veth0',
  mtu: 9000,
  linkinfo: { kind: 'vxlan', data: { id: 7, port: 4789 } },
})

test('a request, with the kernel names and the bytes of each attribute', () => {
  assert.deepEqual(squeeze(formatMessage(newLink, rtLink)), [
    'NLMSG len=88 type=RTM_NEWLINK flags=REQUEST|ACK seq=1 port=0',
    '└ ifinfomsg family=unspec ifindex=3 flags=UP change=UP [16..32]',
    ' ├ IFLA_IFNAME "veth0" [32..42]',
    ' ├ IFLA_MTU 9000 [44..52]',
    ' └ IFLA_LINKINFO [52..88]',
    ' ├ IFLA_INFO_KIND "vxlan" [56..66]',
    ' └ IFLA_INFO_DATA [68..88]',
    ' ├ IFLA_VXLAN_ID 7 [72..80]',
    ' └ IFLA_VXLAN_PORT 4789 [80..86]',
  ])
  assert.equal(
    summarizeMessage(newLink, rtLink),
    'RTM_NEWLINK family=unspec ifindex=3 flags=UP change=UP IFLA_IFNAME="veth0" IFLA_MTU=9000 IFLA_LINKINFO{2}',
  )
})

test('a notification finds its own body, and flags by what the message does', () => {
  const bytes = encode(
    RTM_NEWROUTE,
    NLM_F_CREATE | NLM_F_EXCL,
    rtRoute.notifications.newRoute.body,
    {
      family: 2,
      dstLen: 16,
      type: 1,
      protocol: 3,
      rtmTable: 254,
      table: 254,
      dst: '10.1.0.0',
      via: { family: 10, address: 'fe80::1' },
      multipath: [{ ifindex: 2, gateway: '10.0.0.1' }, { ifindex: 3 }],
    },
  )
  assert.deepEqual(
    squeeze(formatMessage(bytes, [rtLink, rtRoute])),
    [
      'NLMSG len=96 type=RTM_NEWROUTE flags=EXCL|CREATE seq=1 port=0',
      '└ rtmsg family=inet dstLen=16 rtmTable=main protocol=boot scope=universe type=unicast [16..28]',
      ' ├ RTA_TABLE 254 [28..36]',
      ' ├ RTA_DST 10.1.0.0 [36..44]',
      ' ├ RTA_VIA family=inet6 address=fe80::1 [44..66]',
      ' └ RTA_MULTIPATH [68..96]',
      ' ├ rtnexthop ifindex=2 [72..80]',
      ' │ └ RTA_GATEWAY 10.0.0.1 [80..88]',
      ' └ rtnexthop ifindex=3 [88..96]',
    ].map((line) => (line.startsWith('NLMSG') ? line.replace('98', '96') : line)),
  )
})

test('an error says which, shows the request that it answers, and the extack', () => {
  const w = new Writer()
  const mark = w.messageStart(NLMSG_ERROR, NLM_F_ACK_TLVS, 1, 77)
  w.u32(-17 >>> 0)
  w.put(newLink)
  nlmsgerrAttrs.put(w, { msg: 'File exists already', offs: 44 })
  w.messageEnd(mark)
  const lines = squeeze(formatMessage(w.finish(), rtLink, { extack: nlmsgerrAttrs }))
  assert.deepEqual(
    lines,
    [
      'NLMSG len=140 type=NLMSG_ERROR flags=ACK_TLVS seq=1 port=77',
      '└ nlmsgerr error=EEXIST [16..20]',
      ' ├ nlmsghdr len=88 type=RTM_NEWLINK flags=REQUEST|ACK seq=1 port=0 [20..108]',
      ' ├ NLMSGERR_ATTR_MSG "File exists already" [108..132]',
      ' └ NLMSGERR_ATTR_OFFS 44 [132..140]',
    ].map((line) => line.replace('len=144', `len=${w.length}`)),
  )
  assert.match(
    summarizeMessage(w.finish(), rtLink, { extack: nlmsgerrAttrs }),
    /^NLMSG_ERROR error=EEXIST .*NLMSGERR_ATTR_MSG="File exists already" NLMSGERR_ATTR_OFFS=44$/,
  )
})

test('a generic family is found by its id, or by the one who knows ids', () => {
  const w = new Writer()
  const mark = w.messageStart(16, NLM_F_MULTI, 1, 0)
  w.u32(0x0201)
  nlctrl.ops.getFamily.do.reply.encode(w, {
    familyName: 'door',
    familyId: 31,
    version: 1,
    hdrsize: 0,
    maxattr: 0,
    ops: [{ id: 3, flags: 0xe }],
  })
  w.messageEnd(mark)
  const bytes = w.finish()
  const lines = squeeze(formatMessage(bytes, nlctrl))
  assert.deepEqual(lines.slice(0, 4), [
    'NLMSG len=88 type=nlctrl.newFamily flags=MULTI seq=1 port=0',
    '└ genlmsghdr cmd=1 version=2 [16..20]',
    ' ├ CTRL_ATTR_FAMILY_NAME "door" [20..29]',
    ' ├ CTRL_ATTR_FAMILY_ID 31 [32..38]',
  ])
  assert.match(lines.join('\n'), /OP_FLAGS CMD_CAP_DO.CMD_CAP_DUMP.CMD_CAP_HASPOL/)
  assert.deepEqual(
    formatMessage(bytes, (type) => (type === 16 ? nlctrl : undefined)),
    formatMessage(bytes, nlctrl),
  )
  assert.match(formatMessage(bytes, () => undefined)[0] as string, /type=16 /)
})

test('bytes that nobody knows, and bytes that are broken, are shown as they are', () => {
  const bytes = new Uint8Array(newLink)
  bytes[44] = 5 // IFLA_MTU says one byte of payload
  const broken = squeeze(formatMessage(bytes, rtLink))
  assert.ok(
    broken.some((line) => line.includes('IFLA_MTU') && line.includes('4 bytes expected, got 1')),
  )
  assert.deepEqual(formatMessage(Uint8Array.of(1, 2, 3), rtLink), ['3 bytes are not a message'])
  assert.equal(summarizeMessage(new Uint8Array(0), rtLink), '0 bytes that are not a message')
  assert.match(formatMessage(newLink, rtRoute)[0] as string, /type=16/)
})

test('a value before it is sent', () => {
  assert.deepEqual(
    squeeze(formatValue(rtLink.ops.getLink.do.request, { ifname: 'lo' })),
    ['└ ifinfomsg family=unspec [0..16]', ' └ IFLA_IFNAME "lo" [16..23]'].map((line) =>
      line.replace(' type=netrom', ''),
    ),
  )
})

test('no bytes make it throw', () => {
  const all = [nlctrl, rtLink, rtRoute]
  fc.assert(
    fc.property(
      fc.constantFrom(16, 18, 24, 26, 2, 3),
      fc.integer({ min: 0, max: 0xffff }),
      fc.uint8Array({ maxLength: 96 }),
      (type, flags, payload) => {
        const w = new Writer()
        const mark = w.messageStart(type, flags, 1, 2)
        w.put(payload)
        w.messageEnd(mark)
        for (const find of [all, nlctrl]) {
          assert.ok(formatMessage(w.peek(), find, { extack: nlmsgerrAttrs }).length > 0)
          assert.ok(summarizeMessage(w.peek(), find).length > 0)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test("a family's own header is shown, whether the message describes it or not", () => {
  const portAttrs = attrs('PORT_A_', { number: [1, u32] })
  const header = struct('port_header', { dpIfindex: u32 })
  const ports = (body: Message<any, any>) =>
    genlFamily({
      name: 'ports',
      version: 1,
      headerSize: 4,
      ops: { get: { cmd: 3, do: { request: body, reply: body } } },
    })
  const w = new Writer()
  const mark = w.messageStart(30, NLM_F_REQUEST, 1, 0)
  w.u32(0x0103)
  w.u32(7)
  w.attrU32(1, 9)
  w.messageEnd(mark)
  const bytes = w.finish()
  assert.deepEqual(squeeze(formatMessage(bytes, ports(message(header, portAttrs)))).slice(2), [
    ' └ port_header dpIfindex=7 [20..24]',
    ' └ PORT_A_NUMBER 9 [24..32]',
  ])
  assert.deepEqual(squeeze(formatMessage(bytes, ports(message(portAttrs)))).slice(2), [
    ' └ PORT_A_NUMBER 9 [24..32]',
  ])
})
