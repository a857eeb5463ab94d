/** Whatever bytes come, each request is answered and the kernel lives on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NLMSG_DONE, NLMSG_ERROR } from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { Kernel } from '../kernel.ts'
import { linkUp, network } from './requests.test.support.ts'

const TYPES = [16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 28, 29, 30, 32, 33, 34, 64, 66, 108, 124]
const FLAGS = [0x5, 0x105, 0x305, 0x405, 0x605, 0x505, 0xc05, 0xd, 0x301, 0x101]

/** Attributes, some of them sound, nested at random. */
const attribute = fc.letrec((tie) => ({
  any: fc.record({
    type: fc.oneof(fc.nat(70), fc.nat(0xffff)),
    payload: fc.oneof(
      { maxDepth: 3 },
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(...[0, 1, 2, 4, 6, 8, 16].map((n) => new Uint8Array(n).fill(1))),
      fc.constantFrom('veth', 'bridge', 'ifb', 'v0', 'lo').map((s) => new TextEncoder().encode(s)),
      fc.array(tie('any') as fc.Arbitrary<Attribute>, { maxLength: 4 }),
    ),
  }) as fc.Arbitrary<Attribute>,
})).any

interface Attribute {
  readonly type: number
  readonly payload: Uint8Array | readonly Attribute[]
}

function put(w: Writer, { type, payload }: Attribute): void {
  const mark = w.attrStart(type)
  if (payload instanceof Uint8Array) w.put(payload)
  else for (const each of payload) put(w, each)
  w.attrEnd(mark)
}

const request = fc
  .record({
    type: fc.constantFrom(...TYPES),
    flags: fc.constantFrom(...FLAGS),
    family: fc.constantFrom(0, 2, 7, 10, 17, 128, 255),
    header: fc.uint8Array({ minLength: 0, maxLength: 15 }),
    attributes: fc.array(attribute, { maxLength: 6 }),
    tail: fc.uint8Array({ maxLength: 5 }),
  })
  .map(({ type, flags, family, header, attributes, tail }) => {
    const w = new Writer()
    const mark = w.messageStart(type, flags, 1, 0)
    w.u8(family)
    w.put(header)
    w.pad()
    for (const each of attributes) put(w, each)
    w.put(tail)
    w.messageEnd(mark)
    return w.finish()
  })

test('hostile requests are answered, and none of them is a handler`s failure', async () => {
  await using kernel = new Kernel()
  const socket = await kernel.transport().open({ protocol: 0, options: { extAck: true } })
  const strict = await kernel.transport().open({ protocol: 0, options: { strictCheck: true } })
  const buffer = new Uint8Array(65_536)
  for (const { request: bytes } of [...network, linkUp(1)]) socket.send([bytes])
  while (socket.receive(buffer) >= 0);
  fc.assert(
    fc.property(request, fc.boolean(), (bytes, isStrict) => {
      const asker = isStrict ? strict : socket
      asker.send([bytes])
      let ends = 0
      for (let n = asker.receive(buffer); n >= 0; n = asker.receive(buffer)) {
        const walker = new MessageWalker(viewOf(buffer), n)
        while (walker.next()) {
          if (walker.type === NLMSG_ERROR || walker.type === NLMSG_DONE) ends++
          assert.ok(walker.end - walker.start >= 20)
        }
      }
      const wantsAck = viewOf(bytes).getUint16(6, HOST_LE) & 0x4
      assert.ok(ends === 1 || (ends === 0 && !wantsAck))
      assert.deepEqual(
        kernel.dmesg().filter(({ text }) => text.includes('its handler failed')),
        [],
      )
    }),
    { numRuns: 3000 },
  )
  for (const each of [socket, strict]) each.close()
})
