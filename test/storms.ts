/**
 * Two faults at every pair of points of a storm (test/faults.ts), in as many threads as there are
 * processors: `npm run storms`, `npm run storms -- --steps 4 --wind turns`.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { firstFaults, STEPS, secondFaults, storm, WINDS, type Wind } from './faults.ts'

interface Share {
  readonly steps: number
  readonly winds: readonly Wind[]
  readonly worker: number
  readonly workers: number
}
interface Count {
  singles: number
  pairs: number
}
/** Milliseconds between two lines about how far it is. */
const TELL = 30_000

async function share({ steps, winds, worker, workers }: Share): Promise<void> {
  const what = await storm(steps)
  for (const wind of winds) {
    const isOurs = (nth: number): boolean => nth % workers === worker
    for await (const first of firstFaults(wind, what, isOurs)) {
      let pairs = 0
      for (const second of secondFaults(first)) {
        await second.run()
        pairs++
      }
      parentPort?.postMessage({ singles: 1, pairs } satisfies Count)
    }
  }
}

function start(data: Share, count: Count): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: data })
    worker.on('message', ({ singles, pairs }: Count) => {
      count.singles += singles
      count.pairs += pairs
    })
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit code ${code}`))))
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { steps: { type: 'string' }, wind: { type: 'string' }, threads: { type: 'string' } },
  })
  const steps = Math.min(Number(values.steps ?? STEPS), STEPS)
  const winds = WINDS.filter((wind) => values.wind === undefined || wind === values.wind)
  const workers = Number(values.threads ?? availableParallelism())
  const count: Count = { singles: 0, pairs: 0 }
  const began = performance.now()
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`
  const tell = setInterval(() => console.log(`${count.pairs} pairs, ${seconds()}`), TELL)
  try {
    const shares = Array.from({ length: workers }, (_, worker) => ({
      steps,
      winds,
      worker,
      workers,
    }))
    await Promise.all(shares.map((each) => start(each, count)))
    console.log(
      `${winds.join(', ')}: ${steps} steps of ${STEPS} and the last: one fault at each of ${count.singles} points, ` +
        `two at each of ${count.pairs} pairs: the tables were the truth each time (${seconds()})`,
    )
  } catch (error) {
    console.error(error)
    process.exit(1)
  } finally {
    clearInterval(tell)
  }
}

if (isMainThread) await main()
else await share(workerData as Share)
