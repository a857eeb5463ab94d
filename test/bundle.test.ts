/** The program as the build bundles it: what runs of it, whose classes a module has, as npm packs it. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serveKernel } from './daemon.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = join(root, 'dist/cli/main.js')

/** Says at its end whether a process ran a bundle. */
const PROBE = `process.on('exit', () => require('node:fs').writeSync(2,
  Symbol.for('nlkit.bundle') in globalThis ? 'bundled' : 'modules'))`

/** Makes a folder, and removes it in the end. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-bundle-'))
  try {
    writeFileSync(join(folder, 'probe.cjs'), PROBE)
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Serves a kernel with the program `file` and stops it: what it said. */
async function startAndStop(file: string, folder: string): Promise<{ out: string; err: string }> {
  const args = ['kernel', 'start', '--listen', join(folder, 'kernel.sock')]
  const child = spawn(process.execPath, ['--require', join(folder, 'probe.cjs'), file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  })
  let [out, err] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
    child.kill('SIGTERM')
  })
  await once(child, 'close')
  return { out, err }
}

test('a kernel is served from a bundle, and asked from another', async () => {
  await withFolder(async (folder) => {
    const { out, err } = await startAndStop(main, folder)
    assert.match(out, /^kernel at unix:/)
    assert.equal(err, 'bundled')
    await using served = await serveKernel()
    const args = ['--require', join(folder, 'probe.cjs'), main, '--kernel', served.kernel]
    const asked = spawnSync(process.execPath, [...args, 'link', 'list', '-j'], { encoding: 'utf8' })
    assert.equal(asked.stderr, 'bundled')
    assert.equal(JSON.parse(asked.stdout)[0].ifname, 'lo')
  })
})

/** What a module sees of nlkit. */
const MODULE = `
import assert from 'node:assert/strict'
import { NetlinkError } from 'nlkit'
import { defineModule, Kernel } from 'nlkit/kernel'
import { u32 } from 'nlkit/schema'
export const mirror = defineModule({
  name: 'mirror',
  license: 'MIT',
  async init(kernel) {
    assert.ok(kernel instanceof Kernel, 'the kernel is one of the class that a module imports')
    assert.ok(u32)
    kernel.printk('<6>mirror: one of us')
    throw new NetlinkError('EXDEV', { message: 'a refusal is one, too' })
  },
})`

test('a module from a file has the classes of the kernel that loads it', async () => {
  await using served = await serveKernel()
  const file = join(served.folder, 'mirror.mjs')
  mkdirSync(join(served.folder, 'node_modules'))
  symlinkSync(root, join(served.folder, 'node_modules/nlkit'))
  writeFileSync(file, MODULE)
  const ask = (...args: string[]) =>
    spawnSync(process.execPath, [main, '--kernel', served.kernel, ...args], { encoding: 'utf8' })
  const { stderr, status } = ask('module', 'insmod', file)
  assert.match(stderr, /a refusal is one, too \(EXDEV\)/)
  assert.equal(status, 1)
  assert.match(ask('dmesg').stdout, /mirror: one of us/)
})

test('a kernel in the background is there when its starter ends, and keeps no folder', async () => {
  await withFolder(async (folder) => {
    const start = ['kernel', 'start', '--detach', '-j', '--listen', 'kernel.sock']
    const said = execFileSync(process.execPath, [main, ...start], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    })
    const { kernel, pid } = JSON.parse(said) as { kernel: string; pid: number }
    try {
      assert.equal(kernel, `unix:${join(folder, 'kernel.sock')}`)
      if (process.platform === 'linux') assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/')
      const stop = spawnSync(process.execPath, [main, '--kernel', kernel, 'kernel', 'stop'])
      assert.equal(stop.status, 0)
    } finally {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {}
    }
    const refused = spawnSync(process.execPath, [main, ...start, 'kernel.sock/there'], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(refused.status, 2)
    assert.match(JSON.parse(refused.stderr).error.message, /unexpected word/)
  })
})

test('the program runs as npm packs it', async () => {
  await withFolder(async (folder) => {
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]
    execFileSync('npm', pack, { cwd: root, stdio: 'ignore' })
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
    execFileSync('tar', ['xzf', join(folder, tarball), '-C', folder])
    const { out, err } = await startAndStop(join(folder, 'package/dist/cli/main.js'), folder)
    assert.match(out, /^kernel at unix:/)
    assert.equal(err, 'bundled')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const said = execFileSync(process.execPath, [
      join(folder, 'package/dist/cli/main.js'),
      'link',
      '--version',
    ])
    assert.match(String(said), new RegExp(version.replaceAll('.', '\\.')))
  })
})
