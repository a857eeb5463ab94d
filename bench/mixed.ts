/**
 * Routes of all sorts as plain complete objects, every member read, equal to what ip(8) says. `node build/bench/mixed.js`, `--json` for machines;
 * peers are built by `npm run bench:setup`.
 */
import { execFileSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import { ipBatch, makeLink, mixedRoutes } from './network.ts'
import { type Figure, figures, own, type Program, peer, present, turns } from './peers.ts'

const ROUTES = Number(process.env.NLKIT_BENCH_MIXED ?? 300_000)
const RUNS = 5
/** ip(8) prints one array a call. */
const READ = `
  const parts = []
  const read = (v) => typeof v === 'object' && v !== null
    ? Object.keys(v).reduce((n, k) => n + read(v[k]), 0) : 1
  process.stdin.on('data', (part) => parts.push(part)).on('end', () => {
    const texts = Buffer.concat(parts).toString().split('\\n').filter(Boolean)
    console.error(texts.reduce((n, text) => n + read(JSON.parse(text)), 0))
  })`

const programs: Program[] = [
  { name: 'C, receives and looks at nothing', command: [peer('route-dump'), '0'] },
  {
    name: 'nlkit nl.routes.list(), every member read',
    command: own('client', 'list'),
    bar: 'at most 2.6',
  },
  {
    name: 'ip -j route | JSON.parse, every member read',
    command: [
      'sh',
      '-c',
      `{ ip -j route show; ip -6 -j route show; } | ${process.execPath} -e "${READ}"`,
    ],
    isTimed: true,
  },
]

/** Whether `nlkit route list -j` says what `ip -j` says of both families. */
function equality(): Figure {
  const json = (command: string, args: string[]): unknown =>
    JSON.parse(execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 30 }))
  const cli = new URL('../../dist/cli/main.js', import.meta.url).pathname
  const families: ('-4' | '-6')[] = ['-4', '-6']
  const same = families.map((family) =>
    isDeepStrictEqual(
      json(process.execPath, [cli, family, '-j', 'route', 'list']),
      json('ip', [family, '-j', 'route', 'show']),
    ),
  )
  const note = same.every(Boolean) ? 'deep-equal to ip -j' : 'NOT deep-equal to ip -j'
  return { name: 'the same routes as JSON', note }
}

await present(
  import.meta.url,
  `${ROUTES.toLocaleString('en')} routes of all sorts; ratio to C`,
  async () => {
    makeLink()
    ipBatch(mixedRoutes(ROUTES))
    return [...figures(programs, turns(programs, RUNS), 'ms', 'ms', 'cpuMs'), equality()]
  },
)
