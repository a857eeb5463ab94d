/**
 * `node build/bench/families.js`: generic families until their numbers are used up, a hundred
 * operations each. What they cost of the heap, and whether finding one gets slower.
 */
import { performance } from 'node:perf_hooks'
import { Kernel } from 'nlkit/kernel'
import { genlFamily } from 'nlkit/schema'
import { NETLINK_GENERIC, NLM_F_ACK, NLM_F_REQUEST, Writer } from 'nlkit/wire'

const OPS = 100
const MOST = 1005
const ROUNDS = 20_000
const REPEATS = 7

const ops: Record<string, { cmd: number; do: object }> = {}
const handlers: Record<string, { doit: () => undefined }> = {}
for (let cmd = 1; cmd <= OPS; cmd++) {
  ops[`op${cmd}`] = { cmd, do: {} }
  handlers[`op${cmd}`] = { doit: () => undefined }
}

function register(kernel: Kernel, from: number, to: number): void {
  for (let i = from; i < to; i++)
    kernel.genl.registerFamily(genlFamily({ name: `f${i}`, version: 1, ops }), handlers)
}

function request(type: number, cmd: number, name?: string): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(type, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
  w.u32(cmd | 0x0100)
  if (name) w.attrString(2, name)
  w.messageEnd(mark)
  return w.finish()
}

/** Microseconds of one request, the median of several runs. */
async function time(kernel: Kernel, bytes: Uint8Array): Promise<number> {
  const socket = await kernel.transport().open({ protocol: NETLINK_GENERIC })
  const buffer = new Uint8Array(65536)
  const runs: number[] = []
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now()
    for (let i = 0; i < ROUNDS; i++) {
      socket.send([bytes])
      while (socket.receive(buffer) > 0);
    }
    runs.push(((performance.now() - start) * 1000) / ROUNDS)
  }
  socket.close()
  return runs.sort((a, b) => a - b)[REPEATS >> 1] as number
}

const heap = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const few = new Kernel()
register(few, 0, 1)
const many = new Kernel()
const before = heap()
register(many, 0, MOST)
const bytes = heap() - before
let refused = ''
try {
  register(many, MOST, MOST + 1)
} catch (error) {
  refused = (error as { code: string }).code
}
console.log(`${MOST} families of ${OPS} operations, then ${refused}`)
console.log(
  `heap: ${(bytes / 2 ** 20).toFixed(1)} MiB, ${(bytes / MOST / OPS).toFixed(0)} bytes an operation${globalThis.gc ? '' : ' (node --expose-gc measures it better)'}`,
)
for (const [what, one, last] of [
  ['an operation by its numbers', request(19, 100), request(1023, 100)],
  ['a family by its name', request(16, 3, 'f0'), request(16, 3, `f${MOST - 1}`)],
] as const) {
  const alone = await time(few, one)
  const among = await time(many, last)
  console.log(
    `${what}: ${alone.toFixed(2)} µs alone, ${among.toFixed(2)} µs among ${MOST}: ratio ${(among / alone).toFixed(2)}`,
  )
}
