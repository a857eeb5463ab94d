/** The tour: its scenes hold, with privileges and without; and a scene that does not hold says so. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { cannotDrop, type Ended, Running, spawnNlkit, UNPRIVILEGED } from './cli.ts'
import { blocksOf, matchesOutput } from './documents.ts'

const scenes = new URL('../../src/cli/tour/', import.meta.url)
const SCENES = readdirSync(scenes).filter((name) => name.startsWith('scene-')).length

function assertHeld({ code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stderr, '')
  assert.match(stdout, /^nlkit tour: Linux \S* ?beside nlkit's kernel\n/)
  assert.match(stdout, new RegExp(`^${SCENES} of ${SCENES} scenes held\\. Next:$`, 'm'))
  assert.equal(stdout.split('Next:\n')[1]?.trimEnd().split('\n').length, 3)
  assert.doesNotMatch(stdout, /✗/)
}

test('every scene holds', async () => assertHeld(await spawnNlkit(['tour', '--once'])))

test('where namespaces are allowed, the kernels are compared', async (t) => {
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) return t.skip('no network namespace here')
  const { stdout } = await spawnNlkit(['tour', '--once'])
  assert.match(stdout, /✓ listed by the same line; lo is the same on both/)
  assert.match(stdout, /✓ \d+ events, every member of them: identical/)
  assert.match(stdout, /✓ \d+ refusals, in words, errno and place: identical/)
  assert.match(stdout, /✓ listed, called, refused with a path, heard/)
  assert.match(stdout, /✓ nlctrl: itself, .*: identical/)
  assert.match(stdout, /✓ two processes on each kernel, the same program: identical/)
  assert.match(stdout, /✓ input before send returns, the thread after it/)
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const shown = blocksOf('README.md', readme).find(({ code }) => code.startsWith('nlkit tour:'))
  if (!shown || !matchesOutput(stdout, shown.code)) assert.equal(stdout, shown?.code)
  return undefined
})

test('without privileges it shows what it can, and says why it cannot show the rest', async (t) => {
  if (cannotDrop) return t.skip(cannotDrop)
  const through = UNPRIVILEGED
  const ended = await spawnNlkit(['tour', '--once'], { through })
  assertHeld(ended)
  assert.match(ended.stdout, /✓ listed by the same line/)
  assert.match(ended.stdout, /not shown, .*EPERM.*needs root, or: unshare -Urn/)
  return undefined
})

test('a namespace of one’s own is privilege enough', async (t) => {
  const through = ['unshare', '-Urn']
  if (spawnSync('unshare', ['-Urn', 'true']).status !== 0)
    return t.skip('no user namespace here: unshare -Urn fails')
  const ended = await spawnNlkit(['tour', '--once'], { through })
  assertHeld(ended)
  // process events are told in the first network namespace alone
  assert.doesNotMatch(
    ended.stdout,
    /not shown, (?!nobody tells of processes here|Linux takes new protocols)/,
  )
  return undefined
})

test('without --once it stays until Ctrl-C', async () => {
  const tour = new Running(['tour'])
  await tour.wrote('stdout', /Ctrl-C ends it\.\n/)
  tour.child.kill('SIGINT')
  assert.equal((await tour.ended).code, 0)
})
