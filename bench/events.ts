/**
 * A storm of route events by `ip -batch`: what is lost, told and repaired. `node build/bench/events.js`, `--json` for machines;
 * peers are built by `npm run bench:setup`.
 */
import { spawn } from 'node:child_process'
import { open } from 'nlkit'
import { hostRoutes, ipBatch, makeLink } from './network.ts'
import { type Figure, present } from './peers.ts'

const EVENTS = Number(process.env.NLKIT_BENCH_EVENTS ?? 100_000)
/** Bytes: what a socket has that asks for nothing. */
const DEFAULT_BUFFER = 106_496
const LAST = '198.51.100.0/24'

/** Runs `ip -batch` beside us. */
function storm(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
    child.on('error', reject).on('exit', () => resolve())
    child.stdin.end(`${[...hostRoutes(EVENTS), `route add ${LAST} dev v0`].join('\n')}\n`)
  })
}

async function listen(name: string, receiveBuffer: number | undefined): Promise<Figure[]> {
  await using nl = await open()
  const watch = nl.watch(['route'], receiveBuffer === undefined ? {} : { receiveBuffer })
  await watch.ready
  await using live = nl.routes.live({}, receiveBuffer === undefined ? {} : { receiveBuffer })
  await live.ready
  const counts = { route: 0, overrun: 0, resync: 0 }
  const blown = storm()
  const start = performance.now()
  for await (const event of watch) {
    counts[event.type]++
    const isLast = event.type === 'route' && event.route.destination === LAST
    if (isLast || (event.type === 'resync' && event.routes?.some((r) => r.destination === LAST)))
      break
  }
  const seconds = (performance.now() - start) / 1000
  await blown
  while (!live.find({ destination: LAST }) || !live.isCertain)
    await new Promise((resolve) => setTimeout(resolve, 5))
  const truth = (await nl.routes.list().toArray()).length
  const kept = live.values().length
  ipBatch(hostRoutes(EVENTS, 'del'))
  ipBatch([`route del ${LAST} dev v0`])
  return [
    {
      name: `${name}: events heard`,
      value: counts.route,
      unit: `of ${EVENTS + 1}`,
      note: `${counts.overrun} overruns told, ${counts.resync} repaired; ${(counts.route / seconds).toFixed(0)} events/s`,
    },
    {
      name: `${name}: live table`,
      value: kept,
      unit: 'routes',
      note: `${kept === truth ? 'equal to' : `NOT EQUAL to ${truth} of`} the kernel's; ${live.overruns} overruns, ${live.listings} listings`,
    },
  ]
}

await present(
  import.meta.url,
  `${EVENTS.toLocaleString('en')} route events by ip -batch`,
  async () => {
    makeLink()
    return [
      ...(await listen('a buffer of 8 MiB', undefined)),
      ...(await listen('the default buffer', DEFAULT_BUFFER)),
    ]
  },
)
