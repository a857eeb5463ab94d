/** /proc/net/netlink, beside this machine's. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { NETLINK_ROUTE, NETLINK_USERSOCK } from '../../wire/constants.ts'
import type { Credentials } from '../credentials.ts'
import { Kernel } from '../kernel.ts'
import { formatProcNetNetlink } from './proc-netlink.ts'
import { SO_RCVBUF, SOL_SOCKET } from './socket-options.ts'

const root: Credentials = { pid: 100, uid: 0, gid: 0, capabilities: 'all' }
const LIVE = '/proc/net/netlink'
const ROW =
  /^[0-9a-f]{16} [\d ]{3} [\d ]{10} [0-9a-f]{8} [\d ]{8} [\d ]{8} [01] {4} [\d ]{8} [\d ]{8} [\d ]{8,}$/

test('/proc/net/netlink: the header is Linux`s, rows have its columns', (t) => {
  const kernel = new Kernel()
  kernel.netlink.socket(kernel.initNet, NETLINK_ROUTE, root).bind(4000000000, 0x80000001)
  const ours = formatProcNetNetlink(kernel.initNet).replace(/\n$/, '').split('\n')
  for (const line of ours.slice(1)) assert.match(line, ROW)
  assert.ok(
    ours.some((line) => line.includes(' 0   4000000000 80000001 0        0        0     2 ')),
  )
  assert.ok(
    ours.some((line) => / 0 {3}0 {10}00000000 /.test(line)),
    'the kernel`s socket',
  )
  if (!existsSync(LIVE)) return t.skip(`no ${LIVE} here`)
  const theirs = readFileSync(LIVE, 'utf8').replace(/\n$/, '').split('\n')
  assert.equal(ours[0], theirs[0])
  for (const line of theirs.slice(1)) assert.match(line, ROW)
  return undefined
})

test('/proc/net/netlink: what is queued and lost; one`s own namespace alone; the unbound are not there', () => {
  const kernel = new Kernel()
  const net = kernel.addNet('other')
  const before = formatProcNetNetlink(kernel.initNet)
  kernel.netlink.socket(net, NETLINK_USERSOCK, root).bind(7)
  kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
  assert.equal(formatProcNetNetlink(kernel.initNet), before)
  const sock = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
  sock.bind(8, 1)
  sock.setsockopt(SOL_SOCKET, SO_RCVBUF, 1)
  const one = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
  one.bind(9)
  for (let i = 0; i < 5; i++) one.send([new Uint8Array(1000)], { group: 1 })
  const { bytes, drops } = sock.queue
  assert.ok(bytes > 0 && drops > 0)
  const line = formatProcNetNetlink(kernel.initNet)
    .split('\n')
    .find((each) => / 2 {3}8 /.test(each))
  assert.deepEqual(line?.split(/ +/).slice(1, 10), [
    '2',
    '8',
    '00000001',
    String(bytes),
    '0',
    '0',
    '2',
    String(drops),
    String(sock.cookie),
  ])
})
