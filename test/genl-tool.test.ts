/**
 * genl(8), unmodified, on a kernel of nlkit's that has this machine's families: it prints what it
 * prints on Linux.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { main } from './cli.ts'
import { serveKernel } from './daemon.ts'

const mirror = fileURLToPath(new URL('./genl-mirror-module.js', import.meta.url))

/** What a script prints, its complaints included. */
function genl(kernel: string | undefined, script: string): string {
  const through = kernel ? [process.execPath, main, 'run', '--kernel', kernel, '--'] : []
  const [program = '', ...rest] = [...through, 'sh', '-c', `exec 2>&1; ${script}`]
  const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', timeout: 30_000 })
  assert.equal(stderr, '')
  return stdout
}

const listed = spawnSync('genl', ['ctrl', 'list'], { encoding: 'utf8' })
const why = listed.status === 0 ? false : 'needs genl(8) and a Linux kernel'

test('genl ctrl list, get and policy: the same text', { skip: why }, async (t) => {
  await using served = await serveKernel('--module', mirror)
  const linux = genl(undefined, 'genl ctrl list')
  const ours = genl(served.kernel, 'genl ctrl list')
  const [shared = '', rest = ''] = ours.split(/(?=^\nName: nlkit\n)/m)
  assert.match(rest, /^\nName: nlkit\n/, 'the family of the kernel`s own is the last')
  assert.equal(shared.trimEnd(), linux.trimEnd())
  const names = [...linux.matchAll(/^Name: (\S+)/gm)].map(([, name]) => name as string)
  assert.ok(names.length >= 3)
  const every = (verb: string) => names.map((name) => `genl ctrl ${verb} name ${name}`).join('; ')
  assert.equal(genl(served.kernel, every('get')), genl(undefined, every('get')))
  const policies = genl(undefined, every('policy'))
  if (policies.includes('op 0 policies: dump=1'))
    assert.equal(genl(served.kernel, every('policy')), policies)
  else t.skip('this Linux names commands that are only dumped: it is not 6.18')
})

const LATE = `import { defineModule } from 'nlkit/kernel'
import { genlFamily } from 'nlkit/schema'
const family = genlFamily({ name: 'late', version: 3, groups: ['news'], ops: {} })
export const late = defineModule({
  name: 'late',
  license: 'GPL',
  init(kernel) {
    kernel.genl.registerFamily(family, {})
    return () => {}
  },
})
`

/** nlctrl's `notify` is group 16. */
const NOTIFY = 1 << 15

/** Whether somebody else than who asks is in nlctrl's group. */
function isJoined(kernel: string): boolean {
  const { stdout, stderr, pid } = nlkitNow(kernel, 'sockets', '-j')
  assert.equal(stderr, '')
  const sockets = JSON.parse(stdout) as { protocol: number; pid: number; groups: number }[]
  return sockets.some((each) => each.protocol === 16 && each.groups & NOTIFY && each.pid !== pid)
}

/** A command line on a served kernel. */
function nlkitNow(kernel: string, ...words: string[]) {
  const command = [main, '--kernel', kernel, ...words]
  return spawnSync(process.execPath, command, { encoding: 'utf8', timeout: 30_000 })
}

/** Kills it, if it has not ended by itself in time. */
async function ended(child: ChildProcess): Promise<unknown[]> {
  if (child.exitCode !== null || child.signalCode !== null)
    return [child.exitCode, child.signalCode]
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  try {
    return await once(child, 'exit')
  } finally {
    clearTimeout(timer)
  }
}

test('genl ctrl monitor hears of families that come and go; SIGTERM ends it', {
  skip: why,
}, async () => {
  await using served = await serveKernel()
  const file = join(served.folder, 'late.mjs')
  writeFileSync(
    file,
    LATE.replaceAll(/'(nlkit\/\w+)'/g, (_, name) => `'${import.meta.resolve(name)}'`),
  )
  const words = [main, 'run', '--kernel', served.kernel, '--', 'genl', 'ctrl', 'monitor']
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  try {
    let looks = 0
    while (!isJoined(served.kernel)) assert.ok(child.exitCode === null && looks++ < 60, output)
    for (const verb of ['insmod', 'rmmod']) {
      const what = verb === 'insmod' ? file : 'late'
      const { status, stderr } = nlkitNow(served.kernel, 'module', verb, what)
      assert.equal(status, 0, stderr)
    }
    const deadline = AbortSignal.timeout(20_000)
    while (!/Name: late[\s\S]*Name: late/.test(output))
      await once(child.stdout, 'data', { signal: deadline })
    assert.match(output, /Name: late\n\tID: 0x\w+ {2}Version: 0x3/)
    child.kill('SIGTERM')
    assert.deepEqual(await ended(child), [128 + 15, null])
  } finally {
    child.kill('SIGKILL')
  }
})
