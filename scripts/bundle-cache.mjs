/**
 * `bundle-cache.mjs NAME` runs a bundle once, as it is mostly used, and keeps what V8 has compiled by
 * then beside it.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { cacheOf, compileBundle, evaluateBundle } = await import('../dist/cli/bundle.js')

const name = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'nlkit-bundle-'))
const served = join(folder, 'kernel.sock')
const script = compileBundle(name)
const { run } = evaluateBundle(script)
const end = new AbortController()

/** Runs a command; resolves when it has said something or has ended. */
function begin(runs, ...argv) {
  return new Promise((resolve) => {
    const sink = {
      write: () => {
        resolve()
        return true
      },
    }
    const surroundings = { stdout: sink, stderr: sink, env: {}, signal: end.signal }
    running.push(runs(argv, surroundings).then(resolve))
  })
}

const running = []
const uses = {
  kernel: () => begin(run, 'kernel', 'start', '--listen', served),
  async client() {
    const kernel = evaluateBundle(compileBundle('kernel'))
    await begin(kernel.run, 'kernel', 'start', '--listen', served)
    for (const object of ['link', 'addr', 'route'])
      await begin(run, '--kernel', `unix:${served}`, object, 'list')
  },
  dbus: () =>
    begin(run, 'dbus', 'start', '--session', `--address=unix:path=${join(folder, 'bus')}`),
}

try {
  await uses[name]()
  writeFileSync(`${cacheOf(name)}.${process.pid}`, script.createCachedData())
  renameSync(`${cacheOf(name)}.${process.pid}`, cacheOf(name))
  end.abort()
  await Promise.all(running)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
