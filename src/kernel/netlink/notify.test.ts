/** NETLINK_URELEASE: once for each socket that had a port, also when the port is taken again at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KERNEL_CREDENTIALS } from '../credentials.ts'
import { Kernel } from '../kernel.ts'
import { NETLINK_URELEASE, type NetlinkNotify } from './notify.ts'

const NETLINK_USERSOCK = 2

test('a port taken again before the chain has run: the cookie tells the old holder from the new', async () => {
  await using kernel = new Kernel()
  const { netlink, initNet } = kernel
  const open = () => {
    const sock = netlink.socket(initNet, NETLINK_USERSOCK, KERNEL_CREDENTIALS)
    assert.equal(sock.bind(7), 0)
    return sock
  }
  const heard: NetlinkNotify[] = []
  const holders = new Map<number, number>()
  let resume = () => {}
  const held = new Promise<void>((resolve) => (resume = resolve))
  const done = new Promise<void>((resolve) => {
    netlink.notifier.register({
      name: 'names',
      async call(event, notify) {
        assert.equal(event, NETLINK_URELEASE)
        if (heard.push(notify) === 1) await held
        if (holders.get(notify.portid) === notify.cookie) holders.delete(notify.portid)
        if (heard.length === 2) resolve()
        return 0
      },
    })
  })
  const old = open()
  holders.set(7, old.cookie)
  old.close()
  const heir = open()
  holders.set(7, heir.cookie)
  resume()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(holders.get(7), heir.cookie, 'the late word about the old one left the new one')
  heir.close()
  await done
  assert.equal(holders.size, 0)
  heir.close()
  netlink.socket(initNet, NETLINK_USERSOCK, KERNEL_CREDENTIALS).close()
  assert.deepEqual(
    heard.map(({ portid, cookie }) => [portid, cookie]),
    [
      [7, old.cookie],
      [7, heir.cookie],
    ],
  )
})

test('a block that throws keeps no other from hearing, and one that closes a socket is told of it', async () => {
  await using kernel = new Kernel()
  const { netlink, initNet } = kernel
  const open = (portid: number) => {
    const sock = netlink.socket(initNet, NETLINK_USERSOCK, KERNEL_CREDENTIALS)
    assert.equal(sock.bind(portid), 0)
    return sock
  }
  const second = open(2)
  const heard: number[] = []
  netlink.notifier.register({ name: 'broken', call: () => assert.fail('a bad block') })
  netlink.notifier.register({
    call(_, { portid }) {
      heard.push(portid)
      if (portid === 1) second.close()
      return 0
    },
  })
  open(1).close()
  assert.deepEqual(heard, [1, 2])
  const log = kernel.dmesg().map(({ text }) => text)
  assert.equal(
    log.filter((text) => /^netlink_chain: broken failed: .*a bad block/.test(text)).length,
    2,
  )
})
