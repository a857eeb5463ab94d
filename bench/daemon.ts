/**
 * A request and its acknowledgement of an unmodified C program, through the preload shim and a
 * served kernel, beside two C processes that throw packets over the same kind of socket: turn by
 * turn, on one CPU. As root also `ip -j route` of many routes, beside Linux's.
 *
 * `node build/bench/daemon.js`; `--json` for machines, `--routes N`. Needs cc and taskset.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROUND_TRIPS = 20_000
const TURNS = 7

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = join(root, 'dist/cli/main.js')
const shim = join(root, `native/preload/prebuilt/linux-${process.arch}.so`)
const folder = mkdtempSync(join(tmpdir(), 'nlkit-bench-'))
const path = join(folder, 'kernel.sock')
const env = { ...process.env, LD_PRELOAD: shim, NLKIT_SHIM: path }

const at = process.argv.indexOf('--routes')
const routes = at > 0 ? Number(process.argv[at + 1]) : 20_000

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

function compile(name: string): string {
  const program = join(folder, name)
  execFileSync('cc', ['-O2', '-o', program, join(root, `bench/peers/${name}.c`)])
  return program
}

/** Microseconds a round trip, as the program itself counts seconds. */
function measure(program: string, surroundings: NodeJS.ProcessEnv): number {
  const args = ['-c', '0', program, String(ROUND_TRIPS)]
  const seconds = execFileSync('taskset', args, { env: surroundings, encoding: 'utf8' })
  return (Number(seconds) / ROUND_TRIPS) * 1e6
}

/** Seconds that a command takes, start and end of the process included. */
function time(file: string, args: readonly string[], surroundings: NodeJS.ProcessEnv): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(file, args, {
    env: surroundings,
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1 << 26,
  })
  assert.equal(status, 0, String(stderr))
  return (performance.now() - start) / 1000
}

/** The same routes in the served kernel and in a namespace of Linux; `ip -j route` of each. */
async function compareRoutes(): Promise<{ ours: number; linux: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const batch = join(folder, 'routes')
  const lines = Array.from(
    { length: routes },
    (_, i) => `route add 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32 dev ve0`,
  )
  const links = ['link add ve0 type veth peer name ve1', 'link set ve0 up', 'link set ve1 up']
  writeFileSync(batch, [...links, ...lines, ''].join('\n'))
  time('ip', ['-batch', batch], env)
  const script = 'ip -batch "$0" && echo ready && exec sleep 600'
  const there = spawn('unshare', ['-n', 'sh', '-c', script, batch], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(there.stdout, 'data')
    const list = ['-j', 'route']
    const enter = [`--net=/proc/${there.pid}/ns/net`, 'ip', ...list]
    const ours: number[] = []
    const linux: number[] = []
    for (let turn = 0; turn < TURNS; turn++) {
      ours.push(time('ip', list, env))
      linux.push(time('nsenter', enter, process.env))
    }
    return { ours: median(ours), linux: median(linux) }
  } finally {
    there.kill()
  }
}

const daemon = spawn(
  'taskset',
  ['-c', '0', process.execPath, main, 'kernel', 'start', '--listen', path],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
try {
  await once(daemon.stdout, 'data')
  const pingPong = compile('ping-pong')
  const noopAck = compile('noop-ack')
  const peer: number[] = []
  const ours: number[] = []
  measure(noopAck, env)
  for (let turn = 0; turn < TURNS; turn++) {
    peer.push(measure(pingPong, process.env))
    ours.push(measure(noopAck, env))
  }
  const listed = await compareRoutes()
  const result = {
    pingPong: median(peer),
    acknowledged: median(ours),
    ratio: median(ours) / median(peer),
    routes: listed && { count: routes, ...listed, ratio: listed.ours / listed.linux },
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify(result))
  else {
    const { pingPong: theirs, acknowledged, ratio } = result
    console.log(`C ping-pong        ${theirs.toFixed(1)} us`)
    console.log(`request and ack    ${acknowledged.toFixed(1)} us   ${ratio.toFixed(2)} times`)
    if (result.routes)
      console.log(
        `ip -j route, ${routes} routes: ${result.routes.ours.toFixed(2)} s, Linux ${result.routes.linux.toFixed(2)} s, ${result.routes.ratio.toFixed(2)} times`,
      )
  }
} finally {
  daemon.kill('SIGTERM')
  await once(daemon, 'exit')
  rmSync(folder, { recursive: true, force: true })
}
