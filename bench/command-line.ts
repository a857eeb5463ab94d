/**
 * `nlkit route list` beside `ip route`, as processes. `node build/bench/command-line.js`, `--json` for machines;
 * peers are built by `npm run bench:setup`.
 */
import { hostRoutes, ipBatch, makeLink } from './network.ts'
import { figures, own, type Program, present, turns } from './peers.ts'

const ROUTES = Number(process.env.NLKIT_BENCH_ROUTES ?? 1_000_000)
const RUNS = 3
const cli = (...args: string[]): string[] => own('../../dist/cli/main', ...args)

const programs: Program[] = [
  { name: 'ip route', command: ['ip', 'route', 'show'], isTimed: true },
  {
    name: 'nlkit route list',
    command: cli('route', 'list'),
    isTimed: true,
    bar: 'at most 1',
  },
  { name: 'ip -j route', command: ['ip', '-j', 'route', 'show'], isTimed: true },
  { name: 'nlkit route list -j', command: cli('route', 'list', '-j'), isTimed: true },
]

await present(
  import.meta.url,
  `${ROUTES.toLocaleString('en')} routes listed by a process; ratio to ip route`,
  async () => {
    makeLink()
    ipBatch(hostRoutes(ROUTES))
    return figures(programs, turns(programs, RUNS), 'ms', 'ms', 'cpuMs')
  },
)
