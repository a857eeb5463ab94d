/**
 * Codec speed: decode and encode of a route (RTM_NEWROUTE) and of a whole link (RTM_NEWLINK), ns a
 * message. `node build/bench/decode.js`; the closures' form with
 * `node --disallow-code-generation-from-strings build/bench/decode.js`.
 */
import { rtAddr } from 'nlkit/families/rt-addr'
import { rtLink } from 'nlkit/families/rt-link'
import { rtRoute } from 'nlkit/families/rt-route'
import type { AnyMessage } from 'nlkit/schema'
import { viewOf, Writer } from 'nlkit/wire'
import { Bench } from 'tinybench'
import { readGolden } from '../test/golden.ts'

/** A route of one next hop, as Linux dumps it: table, destination, gateway, interface. */
function routeBytes(): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(24, 2, 1, 1)
  rtRoute.notifications.newRoute.body.encode(w, {
    family: 2,
    dstLen: 32,
    rtmTable: 254,
    protocol: 4,
    type: 1,
    table: 254,
    dst: '10.1.2.3',
    priority: 20,
    gateway: '10.0.0.2',
    oif: 3,
  })
  w.messageEnd(mark)
  return w.finish()
}

const bytesOf = (name: string, index: number): Uint8Array =>
  readGolden(name)[0]?.messages[index] as Uint8Array

const cases: [name: string, body: AnyMessage, bytes: Uint8Array][] = [
  ['route', rtRoute.notifications.newRoute.body, routeBytes()],
  ['address', rtAddr.notifications.newAddr.body, bytesOf('addresses', 1)],
  ['link lo', rtLink.notifications.newLink.body, bytesOf('links', 0)],
  ['link bridge', rtLink.notifications.newLink.body, bytesOf('links', 3)],
]

/** Calls in one measured step: a single one is too short for the clock. */
const CALLS = 1000
const bench = new Bench({ time: 1000, warmupTime: 300 })
/** What was decoded last, so that nothing is optimised away. */
let kept: unknown

for (const [name, body, bytes] of cases) {
  const view = viewOf(bytes)
  const size = bytes.length
  bench.add(`decode ${name} (${size} B)`, () => {
    for (let i = 0; i < CALLS; i++) kept = body.decode(view, 16, size)
  })
  const value: unknown = body.decode(view, 16, size)
  const w = new Writer(4096)
  bench.add(`encode ${name} (${size} B)`, () => {
    for (let i = 0; i < CALLS; i++) {
      w.trim(0)
      body.encode(w, value)
    }
  })
}

await bench.run()
for (const { name, result } of bench.tasks) {
  if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`)
  const ns = (result.latency.p50 * 1e6) / CALLS
  console.log(`${name.padEnd(28)} ${ns.toFixed(0).padStart(6)} ns`)
}
if (kept === undefined) throw new Error('nothing was decoded')
