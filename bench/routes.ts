/**
 * One large table of IPv4 routes: how long until all is read, and in how much memory. `node build/bench/routes.js`, `--json` for machines;
 * peers are built by `npm run bench:setup`.
 */
import { hostRoutes, ipBatch, makeLink } from './network.ts'
import { figures, own, type Program, peer, present, turns } from './peers.ts'

const ROUTES = Number(process.env.NLKIT_BENCH_ROUTES ?? 1_000_000)
const RUNS = 5
/** Tables larger than this take minutes in some peers: libnl is quadratic. */
const MOST_FOR_SLOW = 100_000

const PARSE = `let n=0;const c=[];process.stdin.on('data',d=>c.push(d)).on('end',()=>{n=JSON.parse(Buffer.concat(c).toString()).length;console.error(n)})`

const programs: Program[] = [
  { name: 'C, receives and looks at nothing', command: [peer('route-dump'), '2'] },
  { name: 'libmnl, parsed into structs', command: [peer('route-dump-mnl'), '2'] },
  {
    name: 'nlkit .batches(), schema objects',
    command: own('client', 'batches'),
    bar: 'at most 1.6',
  },
  { name: 'nlkit .visit()', command: own('client', 'visit'), bar: 'at most 1.15' },
  { name: 'nlkit item by item', command: own('client', 'items') },
  { name: 'rust rtnetlink', command: [peer('route-dump-rust')] },
  { name: 'go vishvananda/netlink', command: [peer('route-dump-go')] },
  { name: 'ip route (process)', command: ['ip', 'route', 'show', 'table', 'all'], isTimed: true },
  {
    name: 'ip -j route | JSON.parse (process)',
    command: ['sh', '-c', `ip -j route show table all | ${process.execPath} -e "${PARSE}"`],
    isTimed: true,
  },
]
const slow: Program[] = [
  { name: 'libnl cache', command: [peer('route-dump-nl')], most: 1 },
  {
    name: 'npm netlink',
    command: [process.execPath, peer('npm/route-dump-npm.cjs')],
    most: 1,
  },
  {
    name: 'pyroute2',
    command: ['/usr/bin/python3', peer('route_dump.py')],
    most: 1,
  },
]

await present(
  import.meta.url,
  `${ROUTES.toLocaleString('en')} IPv4 routes in one dump; ratio to C`,
  async () => {
    makeLink()
    ipBatch(hostRoutes(ROUTES))
    const all = ROUTES > MOST_FOR_SLOW ? programs : [...programs, ...slow]
    const medians = turns(all, RUNS)
    return figures(all, medians, 'ms', 'ms', 'cpuMs')
  },
)
