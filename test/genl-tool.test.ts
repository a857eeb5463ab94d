/**
 * genl(8), unmodified, on a kernel of nlkit's that has this machine's families: it prints what it
 * prints on Linux.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
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
