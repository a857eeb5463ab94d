/**
 * The preload shim alone: behind it programs say what they say without it.
 *
 * A proxy forwards the sockets behind the shim to the machine's own kernel, in a namespace of the
 * test's; the same program runs in that namespace natively.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { PROGRAMS } from './live-proxy/programs.ts'

const root = new URL('../../', import.meta.url)
const shim = fileURLToPath(new URL(`native/preload/prebuilt/linux-${process.arch}.so`, root))
const proxy = fileURLToPath(new URL('test/live-proxy/proxy.py', root))

/** A network with something of each kind to show. */
const NETWORK = [
  'ip link set lo up',
  'ip link add ve0 type veth peer name ve1',
  'ip link add br0 type bridge',
  'ip link set ve0 master br0',
  'for dev in ve0 ve1 br0; do ip link set $dev up; done',
  'ip addr add 10.1.2.3/24 dev br0',
  'ip route add 10.9.0.0/16 via 10.1.2.1',
  'ip -6 route add 2001:db8::/32 via fe80::1 dev br0',
  'ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:09 dev br0',
]

/** Lifetimes, timers and ages differ from themselves a moment later. */
function withoutTime(text: string): string {
  return text
    .replace(/\b\d+sec\b/g, '')
    .replace(/(valid|preferred)_lft \S+/g, '')
    .replace(/"(\w*timer|valid_life_time|preferred_life_time|used|confirmed|updated)":[\d.]+/g, '')
    .replace(/\b(expires|used|age|lastuse|handle|\w*timer) +[\d./]+/g, '')
}

function has(program: string): boolean {
  return program.startsWith('/')
    ? existsSync(program)
    : spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

const canUnshare = spawnSync('unshare', ['-n', 'true']).status === 0
const reason = !canUnshare
  ? 'needs root, for a namespace of its own'
  : !existsSync(shim)
    ? 'the shim is not built'
    : !has('ip') || !has('nsenter') || !has('/usr/bin/python3')
      ? 'needs ip(8), nsenter(1) and python3'
      : false

const folder = mkdtempSync(join(tmpdir(), 'nlkit-test-shim-'))
const path = join(folder, 'proxy.sock')
let server: ChildProcess | undefined

before(async () => {
  if (reason) return
  const script = `${NETWORK.join(' && ')} && exec python3 "$0" "$1"`
  server = spawn('unshare', ['-n', 'sh', '-c', script, proxy, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await Promise.race([
    once(server.stdout!, 'data'),
    once(server, 'exit').then(() => ['the proxy did not start']),
  ])) as [Buffer | string]
  assert.equal(String(said).trim(), 'ready')
})
after(async () => {
  if (server && server.exitCode === null) {
    server.kill()
    await once(server, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
})

interface Said {
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error ? (error.code ?? error.signal ?? null) : 0
      resolve({ code, stdout: withoutTime(stdout), stderr: withoutTime(stderr) })
    }).stdin?.end()
  })
}

function behindShim([file = '', ...args]: readonly string[]): Promise<Said> {
  return run(file, args, { ...process.env, LD_PRELOAD: shim, NLKIT_SHIM: path })
}

function natively(command: readonly string[]): Promise<Said> {
  return run('nsenter', [`--net=/proc/${server?.pid}/ns/net`, ...command], process.env)
}

test('the same words, errors and exit codes behind the shim', { skip: reason }, async (t) => {
  for (const command of PROGRAMS) {
    const [program = ''] = command
    const name = command.slice(0, 6).join(' ').split('\n', 1)[0]
    const skip = has(program) ? false : `needs ${program}`
    await t.test(`${name}`, { skip }, async () => {
      // What changes by itself, such as an address that is tentative for a second, is asked again.
      for (let left = 2; ; left--) {
        const shimmed = await behindShim(command)
        const native = await natively(command)
        if (left > 0 && !isDeepStrictEqual(shimmed, native)) continue
        assert.deepEqual(shimmed, native)
        return
      }
    })
  }
})
