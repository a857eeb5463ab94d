/**
 * Checks that need no running code: format and lint, types, dead code, the package as npm packs it.
 *
 * `npm run check`, or `npm run check -- biome knip` for some of them. Nothing here needs a network.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packed = mkdtempSync(join(tmpdir(), 'nlkit-pack-'))

/** A check's name, what it looks at, and its commands. Programs come from node_modules. */
const CHECKS = [
  {
    name: 'biome',
    about: 'format and lint',
    commands: [['biome', 'check', '--error-on-warnings', '.']],
  },
  { name: 'tsc', about: 'types', commands: [['tsc', '-b']] },
  { name: 'knip', about: 'dead code, dependencies', commands: [['knip', '--no-progress']] },
  {
    name: 'publint',
    about: 'package.json against the packed files',
    commands: [['publint', '--strict', '--pack', 'npm']],
  },
  {
    name: 'attw',
    about: 'how the packed types resolve',
    commands: [
      ['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', packed],
      ['attw', '--profile', 'esm-only', '--no-emoji', () => join(packed, readdirSync(packed)[0])],
    ],
  },
]

function run([program, ...args]) {
  const command = program === 'npm' ? 'npm' : join(root, 'node_modules/.bin', program)
  return spawnSync(
    command,
    args.map((arg) => (typeof arg === 'function' ? arg() : arg)),
    { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 },
  )
}

/** Runs one check; says how long it took, and all that it said if it failed. */
function check({ name, about, commands }) {
  const start = performance.now()
  for (const command of commands) {
    const { status, stdout, stderr, error } = run(command)
    if (status === 0) continue
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`)
    console.log(`not ok ${name} (${about})`)
    return false
  }
  console.log(`ok ${name} (${about}, ${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return true
}

const words = process.argv.slice(2)
const chosen = CHECKS.filter(({ name }) => words.length === 0 || words.includes(name))
if (chosen.length === 0) {
  console.error(`check: there are ${CHECKS.map(({ name }) => name).join(', ')}`)
  process.exit(1)
}
const failed = chosen.filter((one) => !check(one))
rmSync(packed, { recursive: true })
console.log(`${chosen.length - failed.length} checks passed, ${failed.length} failed`)
process.exit(failed.length > 0 ? 1 : 0)
