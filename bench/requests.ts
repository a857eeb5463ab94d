/**
 * Requests to nlctrl, one after another and 64 in flight, on one CPU. `node build/bench/requests.js`, `--json` for machines;
 * peers are built by `npm run bench:setup`.
 */
import { figures, own, type Program, peer, present, turns } from './peers.ts'

const TOTAL = 100_000
const RUNS = 5
const pinned = (command: readonly string[]): string[] => ['taskset', '-c', '0', ...command]

const programs: Program[] = [
  { name: 'C, one after another', command: pinned([peer('requests'), `${TOTAL}`, '1']) },
  { name: 'libmnl, one after another', command: pinned([peer('requests-mnl'), `${TOTAL}`]) },
  {
    name: 'nlkit, awaited one after another',
    command: pinned(own('client', 'requests', `${TOTAL}`)),
    bar: 'at least 0.85',
  },
  { name: 'C, 64 in one send, recvmmsg', command: pinned([peer('requests'), `${TOTAL}`, '64']) },
  {
    name: 'nlkit, 64 in flight',
    command: pinned(own('client', 'flight', `${TOTAL}`)),
    bar: 'above 1, and 0.8 of C with 64',
  },
]

await present(import.meta.url, 'CTRL_CMD_GETFAMILY; ratio to C, one after another', async () => {
  return figures(programs, turns(programs, RUNS), 'rate', '/s', 'cpuRate')
})
