/** Who waits for a datagram is told of it, whatever else is done with the socket meanwhile. */
import assert from 'node:assert/strict'
import { NETLINK_ROUTE, NETLINK_USERSOCK, NLM_F_ACK, NLM_F_REQUEST } from 'nlkit/wire'
import { both } from '../both.ts'
import { next, request } from '../raw.ts'

const buffer = new Uint8Array(4096)

both('a send does not take back the waiting of who reads', async (t) => {
  const reader = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1 })
  const other = await t.socket({ protocol: NETLINK_USERSOCK, portid: 2 })
  assert.equal(reader.receive(buffer), -11)
  const waiting = reader.readable(AbortSignal.timeout(5000))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(reader.send([Uint8Array.of(1)], { portid: 2 }), 1)
  assert.equal((await next(other)).from, 1)
  assert.equal(other.send([Uint8Array.of(2)], { portid: 1 }), 1)
  await waiting
  assert.equal((await next(reader)).from, 2)
})

both('what answers a send wakes who waited before it', async (t) => {
  const s = await t.socket({ protocol: NETLINK_ROUTE })
  assert.equal(s.receive(buffer), -11)
  const waiting = s.readable(AbortSignal.timeout(5000))
  await new Promise((resolve) => setImmediate(resolve))
  s.send([request(18, NLM_F_REQUEST | NLM_F_ACK, 1, (w) => w.reserve(16))])
  await waiting
  assert.equal((await next(s)).messages[0]?.seq, 1)
})

both('several wait; a wait that is aborted leaves the others', async (t) => {
  const reader = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1 })
  const other = await t.socket({ protocol: NETLINK_USERSOCK, portid: 2 })
  const abort = new AbortController()
  const first = reader.readable(abort.signal)
  const second = reader.readable(AbortSignal.timeout(5000))
  const third = reader.readable(AbortSignal.timeout(5000))
  abort.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
  other.send([Uint8Array.of(1)], { portid: 1 })
  await Promise.all([second, third])
  assert.equal((await next(reader)).from, 2)
  const last = reader.readable(AbortSignal.timeout(5000))
  reader.close()
  await assert.rejects(last, { code: 'NETLINK_CLOSED' })
  await assert.rejects(reader.readable(), { code: 'NETLINK_CLOSED' })
})
