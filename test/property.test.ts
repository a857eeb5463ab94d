/** The properties of `properties.ts`, under both forms of the codecs: compiled, and closures. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkAll } from './properties.ts'

const SEED = Number(process.env.NLKIT_SEED ?? 20261121)
const RUNS = Number(process.env.NLKIT_RUNS ?? (process.env.NLKIT_LONG ? 40 : 8))
const properties = new URL('./properties.js', import.meta.url).href

test('both forms of every codec hold what they must, and agree', () => {
  const compiled = checkAll(SEED, RUNS)
  assert.ok(compiled.length > 40, `${compiled.length} messages`)
  const script = `
    import { checkAll } from ${JSON.stringify(properties)}
    let generates = true
    try { new Function('') } catch { generates = false }
    if (generates) throw new Error('this run may generate code')
    console.log(JSON.stringify(checkAll(${SEED}, ${RUNS})))`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', script],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  )
  assert.equal(status, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), compiled)
})
