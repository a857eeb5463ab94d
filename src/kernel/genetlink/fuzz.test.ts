/** Hostile requests: whatever the bytes are, the kernel answers or ignores them, and lives on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NETLINK_EXT_ACK, NETLINK_GENERIC, SOL_NETLINK } from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { Writer } from '../../wire/writer.ts'
import { EAGAIN } from '../errno.ts'
import { Kernel } from '../kernel.ts'

/** Two requests to nlctrl in one datagram. */
function requests(): Uint8Array {
  const w = new Writer()
  for (const flags of [0x5, 0x305]) {
    const mark = w.messageStart(16, flags, 1, 0)
    w.u32(0x0103)
    w.attrString(2, 'nlctrl')
    w.attrU32(1, 16)
    w.messageEnd(mark)
  }
  return w.finish()
}

test('mutated requests to nlctrl', () => {
  const kernel = new Kernel()
  const sock = kernel.netlink.socket(kernel.initNet, NETLINK_GENERIC, {
    pid: 1,
    uid: 0,
    gid: 0,
    capabilities: 'all',
  })
  sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
  const good = requests()
  const buffer = new Uint8Array(65536)
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.nat(good.length), (changes, cut) => {
      const bytes = good.slice(0, good.length - (cut % 16))
      for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to
      assert.equal(sock.send([bytes]), bytes.length)
      for (;;) {
        const length = sock.receive(buffer)
        if (length === -EAGAIN) break
        assert.ok(length > 0)
        const walker = new MessageWalker(viewOf(buffer), length)
        while (walker.next()) assert.ok(walker.type >= 2)
        assert.equal(walker.leftover, 0)
      }
      assert.deepEqual(kernel.dmesg(), [])
    }),
    { numRuns: 20_000 },
  )
  assert.equal(sock.send([good]), good.length)
  assert.ok(sock.receive(buffer) > 0)
})
