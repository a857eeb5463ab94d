/** The socket calls of unmodified programs behind the shim, on nlkit's kernel and on Linux. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { open } from 'nlkit'
import type { Kernel } from 'nlkit/kernel'
import { main } from './cli.ts'
import { type ServedKernel, serveKernel } from './daemon.ts'

const root = new URL('../../', import.meta.url)
const shim = fileURLToPath(new URL(`native/preload/prebuilt/linux-${process.arch}.so`, root))
const source = (name: string): string => fileURLToPath(new URL(`test/shim/${name}`, root))
const folder = mkdtempSync(join(tmpdir(), 'nlkit-test-calls-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const python = '/usr/bin/python3'
const needsPython = existsSync(python) && existsSync(shim) ? false : 'needs python3 and the shim'
/** A network of one's own, as root or as anybody. */
const unshare = [['-n'], ['-Urn']].find(
  (flags) => spawnSync('unshare', [...flags, 'true']).status === 0,
)
const needsCompiler =
  spawnSync('cc', ['--version']).status === 0 && unshare && existsSync(shim)
    ? false
    : 'needs a C compiler, and a network namespace to compare with'

test('every form of the calls answers as on Linux', { skip: needsCompiler }, () => {
  const program = join(folder, 'calls')
  const flags = ['-O2', '-D_FORTIFY_SOURCE=2', '-pthread', '-o', program]
  const built = spawnSync('cc', [...flags, source('calls.c')], { encoding: 'utf8' })
  assert.equal(built.status, 0, built.stderr)
  const limits = { encoding: 'utf8', timeout: 60_000 } as const
  const linux = spawnSync('unshare', [...(unshare ?? []), program], limits)
  const ours = spawnSync(process.execPath, [main, 'run', '--', program], limits)
  assert.equal(linux.status, 0, linux.stderr)
  assert.ok(linux.stdout.split('\n').length > 150)
  assert.deepEqual(ours.stdout.split('\n'), linux.stdout.split('\n'))
  assert.equal(ours.status, 0)
})

test('a sender waits for room, for SO_SNDTIMEO, a signal or the end, as on Linux', {
  skip: needsCompiler,
}, () => {
  const program = join(folder, 'waiting')
  const built = spawnSync('cc', ['-O2', '-pthread', '-o', program, source('waiting.c')], {
    encoding: 'utf8',
  })
  assert.equal(built.status, 0, built.stderr)
  const limits = { encoding: 'utf8', timeout: 60_000 } as const
  const linux = spawnSync('unshare', [...(unshare ?? []), program], limits)
  const ours = spawnSync(process.execPath, [main, 'run', '--', program], limits)
  assert.equal(linux.status, 0, linux.stderr)
  assert.ok(linux.stdout.split('\n').length > 6, linux.stdout)
  assert.equal(ours.stdout, linux.stdout)
  assert.equal(ours.status, 0, ours.stderr)
})

/** A program behind the shim, on the kernel that is served at `path`. */
function behind(path: string, command: readonly string[]): ChildProcess {
  const [file = '', ...args] = command
  return spawn(file, args, {
    env: { ...process.env, LD_PRELOAD: shim, NLKIT_SHIM: path },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
}

/** The next line that it writes; what it wrote without one if it ends. */
async function line(child: ChildProcess): Promise<string> {
  let said = ''
  const read = new Promise<void>((done) => {
    child.stdout?.on('data', (part: Buffer) => {
      said += part
      if (said.includes('\n')) done()
    })
    child.once('close', done)
  })
  await read
  child.stdout?.removeAllListeners('data')
  return said.trim()
}

/** Ports that are held on the served kernel by other processes. */
async function ports({ kernel }: ServedKernel): Promise<number[]> {
  const args = ['--kernel', kernel, 'sockets', '-j']
  const { stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return (JSON.parse(stdout) as { portid: number }[]).map(({ portid }) => portid)
}

test('ten programs killed in the middle of dumps leave nothing behind', {
  skip: needsPython,
}, async () => {
  await using served = await serveKernel()
  const nl = await open({ kernel: served.kernel })
  await nl.links.add({ ifname: 'd0', kind: 'dummy' })
  await nl.links.set('d0', { up: true })
  for (let i = 0; i < 1500; i++)
    await nl.routes.add({ destination: `172.16.${i >> 8}.${i & 255}/32`, oif: 'd0' })
  const children = Array.from({ length: 10 }, () =>
    behind(served.path, [python, source('dump-slowly.py')]),
  )
  try {
    const said = await Promise.all(children.map(line))
    const held = said.map((words) => Number(words.split(' ')[1]))
    const before = await ports(served)
    for (const port of held) assert.ok(before.includes(port), `${port} in ${before}`)
    const ends = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ends)
    const after = await ports(served)
    assert.deepEqual(
      held.filter((port) => after.includes(port)),
      [],
    )
    assert.equal((await nl.routes.list({ family: 'inet' }).toArray()).length >= 1500, true)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await nl.close()
  }
})

interface Served {
  readonly kernel: Kernel
  readonly path: string
  close(): Promise<void>
}
const { startDaemon } = (await import(new URL('dist/daemon/daemon.js', root).href)) as {
  startDaemon(options: { path: string }): Promise<Served>
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Ten programs at once, each killed in the middle of a dump, and what the kernel says of it. */
async function killTen({ kernel, path }: Served): Promise<void> {
  const released: number[] = []
  let all: () => void = () => {}
  const done = new Promise<void>((resolve) => {
    all = resolve
  })
  const block = {
    name: 'counter',
    call(_event: number, { portid, protocol }: { portid: number; protocol: number }) {
      if (protocol === 0 && released.push(portid) === 10) all()
      return 0
    },
  }
  kernel.netlink.notifier.register(block)
  const children = Array.from({ length: 10 }, () =>
    behind(path, [python, source('dump-slowly.py')]),
  )
  try {
    const held = (await Promise.all(children.map(line))).map((words) => Number(words.split(' ')[1]))
    assert.equal(new Set(held).size, 10)
    for (const child of children) child.kill('SIGKILL')
    await done
    assert.deepEqual(
      released.sort((a, b) => a - b),
      held.sort((a, b) => a - b),
    )
  } finally {
    for (const child of children) child.kill('SIGKILL')
    kernel.netlink.notifier.unregister(block)
  }
}

test('each of ten programs that are killed in a dump is told of once, and its memory comes back', {
  skip: needsPython,
  timeout: 120_000,
}, async () => {
  const served = await startDaemon({ path: join(folder, 'released.sock') })
  const nl = await open({ kernel: served.kernel })
  try {
    await nl.links.add({ ifname: 'd0', kind: 'dummy' })
    await nl.links.set('d0', { up: true })
    for (let i = 0; i < 2000; i++)
      await nl.routes.add({ destination: `172.16.${i >> 8}.${i & 255}/32`, oif: 'd0' })
    await killTen(served)
    const sockets = served.kernel.netlink.sockets().length
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < 3; round++) await killTen(served)
    collectGarbage()
    const grown = process.memoryUsage().heapUsed - before
    assert.ok(grown < 1 << 20, `${grown} bytes more after thirty programs`)
    assert.equal(served.kernel.netlink.sockets().length, sockets)
  } finally {
    await nl.close()
    await served.close()
  }
})

test('a kernel that is stopped for a while loses nothing', { skip: needsPython }, async () => {
  await using served = await serveKernel()
  const child = behind(served.path, [python, source('acknowledge.py')])
  try {
    assert.equal(await line(child), 'ready')
    served.child.kill('SIGSTOP')
    child.stdin?.write('go\n')
    const timer = setTimeout(() => served.child.kill('SIGCONT'), 3000)
    assert.equal(await line(child), '200')
    clearTimeout(timer)
  } finally {
    child.kill('SIGKILL')
  }
})

for (const [what, sentence] of [
  ['version', /is of another version of nlkit than this shim/],
  ['silence', /has hung up: it is of another version of nlkit/],
  ['garbage', /says what this shim does not understand/],
] as const) {
  test(`at the handshake, ${what}: one clear sentence, and no socket`, {
    skip: needsPython,
  }, async () => {
    const path = join(folder, `${what}.sock`)
    const server = spawn(python, [source('other-version.py'), path, what], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      assert.equal(await line(server), 'ready')
      const script = 'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)'
      const { status, stderr } = spawnSync(python, ['-c', script], {
        encoding: 'utf8',
        timeout: 20_000,
        env: { ...process.env, LD_PRELOAD: shim, NLKIT_SHIM: path },
      })
      assert.equal(status, 1)
      assert.match(stderr, sentence)
      assert.match(stderr, /Protocol not supported/)
    } finally {
      server.kill('SIGKILL')
    }
  })
}
