/** The examples: short, run, and with the output that they should have. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const sources = new URL('../../examples/', import.meta.url)
const built = new URL('../examples/', import.meta.url)

const OUTPUT: Readonly<Record<string, RegExp>> = {
  'list-links.ts':
    /^this machine\n1 lo \w+ \d+n\n[\s\S]*a kernel of our own\n1 lo down 0n\n2 veth1 down 0n\n3 veth0 down 0n\n$/,
  'watch-network.ts':
    /^new veth1\nnew veth0\nnew 10\.0\.0\.1\ndel 10\.0\.0\.1\ndel veth0\ndel veth1\n$/,
  'process-cost.ts':
    /^(?:node: \d+ us in user mode, \d+ us in the kernel\nat most [1-9]\d* KiB in memory, [1-9]\d* bytes read|not shown: [A-Z_]+)\n$/,
  'watch-processes.ts':
    /^fork of 2\nexec in 2\nexit of 2 with 3\nadd \/devices\/virtual\/net\/br0 bridge\n$/,
  'change-network.ts':
    /^10\.0\.0\.254\nEINVAL mtu greater than device maximum\nELOOP Can not enslave a bridge to a bridge\nENODEV did you mean veth0\?\nnothing was sent: mtu: -1 is not within 0\.\.4294967295\n$/,
  'test-without-root.ts': /^(#|ℹ) pass 1$/m,
}

const names = readdirSync(sources).filter((name) => name.endsWith('.ts'))

test('every example is here with its output', () => {
  assert.deepEqual(names.sort(), Object.keys(OUTPUT).sort())
})

for (const name of names) {
  test(`${name} runs, and has 40 lines at most`, () => {
    const lines = readFileSync(new URL(name, sources), 'utf8').trimEnd().split('\n')
    assert.ok(lines.length <= 40, `${lines.length} lines`)
    const file = fileURLToPath(new URL(name.replace(/\.ts$/, '.js'), built))
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--enable-source-maps', file], {
      encoding: 'utf8',
      timeout: 60_000,
      env,
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, OUTPUT[name] ?? /^$/)
  })
}
