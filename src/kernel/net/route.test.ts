import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError } from '../../errors.ts'
import { formatIpv4, formatIpv6, parseIpv4 as ip, parseIpv6 as ip6 } from './address.ts'
import { Recorder, up } from './recorder.test.support.ts'
import { routeOutput4, selectAddress4 } from './route4.ts'
import { routeInput4 } from './route4-input.ts'
import { routeOutput6, selectAddress6 } from './route6.ts'

/** The host of which `ip route get` was asked on Linux. */
function host() {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const { stack } = t
  up(stack.loopback)
  stack.inet.add({ ifindex: v0.ifindex, local: ip('10.0.0.1'), prefixlen: 24 })
  stack.inet6.add({ ifindex: v0.ifindex, address: ip6('fd00::1'), prefixlen: 64, flags: 2 })
  for (const [dev, address] of [
    [v0, 'fe80::a'],
    [v1, 'fe80::b'],
  ] as const)
    stack.inet6.add({ ifindex: dev.ifindex, address: ip6(address), prefixlen: 64, flags: 2 })
  stack.fib4.insert({ dst: 0, dstLen: 0, type: 1, gateway: ip('10.0.0.254') }, 0x600)
  stack.fib4.insert({ dst: ip('20.0.0.0'), dstLen: 8, type: 1, gateway: ip('10.0.0.1') }, 0x600)
  stack.fib4.insert({ dst: ip('30.0.0.0'), dstLen: 8, type: 8 }, 0x600)
  t.settled()
  return { t, stack, v0, v1 }
}

function told(find: () => string): string {
  try {
    return find()
  } catch (error) {
    return isNetlinkError(error) ? error.code : String(error)
  }
}

test('the way to an IPv4 address', () => {
  const { stack, v0, v1 } = host()
  const rows: [string, object, string][] = [
    ['10.0.0.5', {}, '1 v0 src 10.0.0.1 flags 0'],
    ['10.0.0.1', {}, '2 lo src 10.0.0.1 flags 80000000'],
    ['10.0.0.255', {}, '3 v0 src 10.0.0.1 flags 90000000'],
    ['127.0.0.1', {}, '2 lo src 127.0.0.1 flags 80000000'],
    ['127.5.5.5', {}, '2 lo src 127.0.0.1 flags 80000000'],
    ['8.8.8.8', {}, '1 v0 via 10.0.0.254 src 10.0.0.1 flags 0'],
    ['20.1.1.1', {}, '1 v0 src 10.0.0.1 flags 0'],
    ['30.1.1.1', {}, 'EACCES'],
    ['255.255.255.255', {}, '3 v0 src 10.0.0.1 flags 90000000'],
    ['224.0.0.1', {}, '5 v0 src 10.0.0.1 flags a0000000'],
    ['224.0.0.9', {}, '5 v0 src 10.0.0.1 flags 20000000'],
    ['0.0.0.0', {}, '2 lo src 127.0.0.1 flags 80000000'],
    ['8.8.8.8', { saddr: ip('10.0.0.1') }, '1 v0 via 10.0.0.254 src 10.0.0.1 flags 0'],
    ['8.8.8.8', { saddr: ip('9.9.9.9') }, 'ENETUNREACH'],
    ['8.8.8.8', { saddr: ip('127.0.0.1') }, 'EINVAL'],
    ['8.8.8.8', { saddr: ip('224.0.0.1') }, 'EINVAL'],
    ['8.8.8.8', { oif: v1.ifindex }, '1 v1 src 10.0.0.1 flags 0'],
    ['8.8.8.8', { oif: 1 }, '1 lo src 10.0.0.1 flags 80000000'],
    ['8.8.8.8', { oif: 99 }, 'ENODEV'],
    ['10.0.0.1', { oif: v0.ifindex }, '2 lo src 10.0.0.1 flags 80000000'],
    ['224.0.0.5', { oif: v1.ifindex }, '5 v1 src 10.0.0.1 flags 20000000'],
  ]
  for (const [daddr, more, expected] of rows) {
    const way = told(() => {
      const found = routeOutput4(stack, { daddr: ip(daddr), ...more })
      const via = found.gateway === undefined ? '' : ` via ${formatIpv4(found.gateway)}`
      return `${found.type} ${found.dev.name}${via} src ${formatIpv4(found.saddr)} flags ${found.flags.toString(16)}`
    })
    assert.equal(way, expected, `${daddr} ${JSON.stringify(more)}`)
  }
})

test('the way of a packet that comes in', () => {
  const { stack, v1 } = host()
  const rows: [string, object, string][] = [
    ['10.0.0.1', { iif: v1.ifindex, saddr: ip('8.8.8.8') }, '2 lo 80000000'],
    ['10.0.0.255', { iif: v1.ifindex, saddr: ip('8.8.8.8') }, '3 lo 90000000'],
    ['10.0.0.1', { iif: v1.ifindex }, 'EINVAL'],
    ['8.8.8.8', { iif: v1.ifindex, saddr: ip('9.9.9.9') }, 'EHOSTUNREACH'],
    ['8.8.8.8', { iif: 99, saddr: ip('9.9.9.9') }, 'ENODEV'],
  ]
  for (const [daddr, more, expected] of rows) {
    const way = told(() => {
      const { type, dev, flags } = routeInput4(stack, { daddr: ip(daddr), ...more })
      return `${type} ${dev.name} ${flags.toString(16)}`
    })
    assert.equal(way, expected, daddr)
  }
})

test('the way to an IPv6 address', () => {
  const { stack, v0, v1 } = host()
  const rows: [string, object, string][] = [
    ['fd00::5', {}, 'v0 src fd00::1'],
    ['fd00::1', {}, 'lo src fd00::1'],
    ['::1', {}, 'lo src ::1'],
    ['::', {}, 'ENETUNREACH'],
    ['2001:db8::1', {}, 'ENETUNREACH'],
    ['fe80::5', { oif: v1.ifindex }, 'v1 src fe80::b'],
    ['ff02::1', { oif: v0.ifindex }, 'v0 src fe80::a'],
    ['fd00::5', { oif: 99 }, 'ENETUNREACH'],
    ['fd00::5', { iif: 99 }, 'ENODEV'],
  ]
  for (const [daddr, more, expected] of rows) {
    const way = told(() => {
      const found = routeOutput6(stack, { daddr: ip6(daddr), ...more })
      return `${found.dev.name} src ${formatIpv6(found.saddr ?? 0n)}`
    })
    assert.equal(way, expected, `${daddr} ${JSON.stringify(more)}`)
  }
})

test('an IPv4 source address: of the subnet, of the device, of another, or none', () => {
  const { t, stack, v0, v1 } = host()
  stack.inet.add({ ifindex: v0.ifindex, local: ip('10.9.0.1'), prefixlen: 24 })
  const pick = (dev: typeof v0, dst: string, scope = 0) =>
    formatIpv4(selectAddress4(stack, dev, ip(dst), scope))
  assert.equal(pick(v0, '10.9.0.7'), '10.9.0.1')
  assert.equal(pick(v0, '8.8.8.8'), '10.0.0.1')
  assert.equal(pick(v1, '8.8.8.8'), '10.0.0.1')
  assert.equal(pick(t.stack.loopback, '8.8.8.8', 254), '127.0.0.1')
  assert.equal(formatIpv4(selectAddress4(new Recorder().stack, v0, 0, -1)), '0.0.0.0')
})

test('an IPv6 source address goes by the rules of RFC 6724', () => {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const addresses: [typeof v0, string, object][] = [
    [v0, '2001:db8:1::1/64', {}],
    [v0, '2001:db8:2::1/64', {}],
    [v0, 'fd00::1/64', {}],
    [v0, 'fe80::1/64', {}],
    [v0, '2001:db8:3::1/64', { preferredLft: 0, validLft: 100 }],
    [v1, '2001:db8:4::1/64', {}],
    [v0, '2001:db8:5::1/64', { flags: 0 }],
  ]
  for (const [{ ifindex }, text, more] of addresses) {
    const [address = '', length] = text.split('/')
    t.stack.inet6.add({
      ifindex,
      address: ip6(address),
      prefixlen: Number(length),
      flags: 2,
      ...more,
    })
  }
  t.settle()
  const rows: [string, string][] = [
    ['2001:db8:2::9', '2001:db8:2::1'],
    ['2001:db8:1::9', '2001:db8:1::1'],
    ['2001:db8:1::1', '2001:db8:1::1'],
    ['fd99::1', 'fd00::1'],
    ['fe80::9', 'fe80::1'],
    ['ff02::1', 'fe80::1'],
    ['2001:db8:5::9', '2001:db8:2::1'],
    ['2001:db8:4::1', '2001:db8:4::1'],
    ['::1', 'fe80::1'],
  ]
  for (const [daddr, expected] of rows) {
    assert.equal(formatIpv6(selectAddress6(t.stack, v0, ip6(daddr)) ?? 0n), expected, daddr)
  }
  assert.equal(selectAddress6(new Recorder().stack, v0, ip6('2001::1')), undefined)
})
