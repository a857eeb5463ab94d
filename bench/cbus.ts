/**
 * What cbus.insert() costs a hot path, as a multiple of pushing to an array, with 0 to 100 listeners.
 *
 * `node build/bench/cbus.js [--json]`. Delivery is not measured: the worker does it later.
 */
import { Kernel } from 'nlkit/kernel'
import { Bench } from 'tinybench'

const INSERTS = 1000
const ID = { idx: 20, val: 1 }

/** Nanoseconds of one insert, or push, by name. */
async function measure(size: number, listeners: number): Promise<Map<string, number>> {
  const kernel = new Kernel()
  kernel.connector.addCallback(ID, 'bench', () => {})
  for (let i = 0; i < listeners; i++) await kernel.transport().open({ protocol: 11, groups: [20] })
  const msg = { ...ID, seq: 0, ack: 0, flags: 0, data: new Uint8Array(size) }
  let array: unknown[] = []
  const bench = new Bench({ time: 300, warmupTime: 100 })
  bench
    .add(
      'array.push',
      () => {
        for (let i = 0; i < INSERTS; i++) {
          msg.seq = i
          array.push(msg)
        }
      },
      {
        beforeEach: () => {
          array = []
        },
      },
    )
    .add(
      'array.push of a copy',
      () => {
        for (let i = 0; i < INSERTS; i++) {
          msg.seq = i
          array.push({ ...msg, data: msg.data.slice() })
        }
      },
      {
        beforeEach: () => {
          array = []
        },
      },
    )
    .add(
      'cbus.insert',
      () => {
        for (let i = 0; i < INSERTS; i++) {
          msg.seq = i
          kernel.cbus.insert(msg)
        }
      },
      { beforeEach: () => kernel.cbus.flush() },
    )
  await bench.run()
  await kernel.close()
  return new Map(
    bench.tasks.map(({ name, result }) => [
      name,
      'latency' in result ? (result.latency.p50 * 1e6) / INSERTS : Number.NaN,
    ]),
  )
}

const rows: Record<string, number>[] = []
for (const [size, listeners] of [
  [0, 0],
  [16, 0],
  [16, 1],
  [16, 100],
  [64, 1],
  [1024, 1],
] as const) {
  const ns = await measure(size, listeners)
  const of = (name: string): number => Number((ns.get(name) ?? Number.NaN).toFixed(1))
  rows.push({
    bytes: size,
    listeners,
    'push ns': of('array.push'),
    'push of a copy ns': of('array.push of a copy'),
    'insert ns': of('cbus.insert'),
    'times a push': Number((of('cbus.insert') / of('array.push')).toFixed(1)),
  })
}
if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
else console.table(rows)
