/** The package as users get it: what npm packs, that every door opens, what importing it costs. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  exports: Record<string, string>
  bin: Record<string, string>
  files: string[]
}

/** Runs a program in the repository's root; its standard output. */
function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: fileURLToPath(root),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout
}

/** Runs a module's source with node; its standard output. */
function runModule(source: string): string {
  return run(process.execPath, ['--input-type=module', '-e', source])
}

/** What npm would pack, by path. */
function packed(): Set<string> {
  const json = run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--silent'])
  const [{ files }] = JSON.parse(json) as [{ files: { path: string }[] }]
  return new Set(files.map(({ path }) => path))
}

const files = packed()

/** Every door as a user imports it: `nlkit`, `nlkit/wire`, `nlkit/families/rt-link` … */
function doors(): string[] {
  return Object.entries(manifest.exports).flatMap(([door, target]) => {
    const name = door.replace(/^\./, 'nlkit')
    if (!door.includes('*')) return [name]
    const folder = new URL(target.slice(0, target.indexOf('*')), root)
    return readdirSync(folder)
      .filter((file) => file.endsWith('.js') && !file.endsWith('.test.js'))
      .map((file) => name.replace('*', file.slice(0, -'.js'.length)))
  })
}

test('the package holds code, its sources, the addon and four papers, and nothing else', () => {
  const welcome = [
    /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
    /^dist\/[\w/-]+\.(js|d\.ts)(\.map)?$/,
    /^dist\/bundle\/\w+\.(cjs|json)$/,
    /^src\/[\w/-]+\.ts$/,
    /^native\/(socket|preload)\/([\w-]+\.[ch]|prebuilt\/[\w.-]+\.(node|so))$/,
    /^scripts\/build-native\.mjs$/,
  ]
  const others = [...files].filter((path) => !welcome.some((pattern) => pattern.test(path)))
  assert.deepEqual(others, [])
  for (const paper of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    assert.ok(files.has(paper), `${paper} is missing`)
})

test('the lockfile knows the optional packages of every platform, or npm ci refuses it', () => {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as {
    packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>
  }
  const named = Object.values(lock.packages).flatMap((each) =>
    Object.keys(each.optionalDependencies ?? {}),
  )
  assert.ok(named.length > 0)
  assert.deepEqual(
    named.filter((name) => !lock.packages[`node_modules/${name}`]?.version),
    [],
  )
})

test('the package holds no tests', () => {
  assert.deepEqual(
    [...files].filter((path) => path.includes('.test.')),
    [],
  )
})

test('what is compiled has its source, and what has a source is compiled', () => {
  const compiled = [...files].filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
  const sources = [...files].filter((path) => path.startsWith('src/'))
  const asSource = (path: string) => path.replace(/^dist\//, 'src/').replace(/\.js$/, '.ts')
  assert.deepEqual(compiled.map(asSource).sort(), sources.sort())
})

test('addon and shim are packed when they are built, with all that rebuilding it needs', (t) => {
  assert.ok(files.has('scripts/build-native.mjs'))
  for (const library of ['native/socket/', 'native/preload/']) {
    const folder = new URL(library, root)
    for (const name of readdirSync(folder))
      if (/\.[ch]$/.test(name)) assert.ok(files.has(`${library}${name}`), name)
    const prebuilt = new URL('prebuilt/', folder)
    if (!existsSync(prebuilt)) return t.skip(`${library} is not built: no C compiler here`)
    for (const name of readdirSync(prebuilt))
      assert.ok(files.has(`${library}prebuilt/${name}`), name)
  }
})

test('every door has its code and its types in the package', () => {
  for (const [door, target] of Object.entries(manifest.exports)) {
    if (door.includes('*') || target.endsWith('.json')) continue
    const path = target.replace('./', '')
    assert.ok(files.has(path), `${door}: ${path}`)
    assert.ok(files.has(path.replace(/\.js$/, '.d.ts')), `${door}: types`)
  }
})

test('the program starts as a program', () => {
  for (const path of Object.values(manifest.bin)) {
    assert.ok(files.has(path.replace('./', '')), path)
    const [first] = readFileSync(new URL(path, root), 'utf8').split('\n')
    assert.equal(first, '#!/usr/bin/env node')
  }
})

test('every door opens', () => {
  const list = doors()
  assert.ok(list.length > 8)
  const imports = list.map((door) =>
    door.endsWith('.json')
      ? `await import(${JSON.stringify(door)}, { with: { type: 'json' } })`
      : `empty(${JSON.stringify(door)}, await import(${JSON.stringify(door)}))`,
  )
  const empty = `const empty = (door, m) => Object.keys(m).length === 0 && console.log(door)`
  assert.equal(runModule([empty, ...imports].join('\n')), '')
})

test('what the doors do not name stays inside', () => {
  for (const inside of ['nlkit/dist/index.js', 'nlkit/client/open.js', 'nlkit/src/index.ts'])
    assert.throws(() => runModule(`await import(${JSON.stringify(inside)})`), /NOT_EXPORTED/)
})

/** URLs of all that is loaded for `import 'nlkit'`. */
function loadedBy(specifier: string): string[] {
  const hooks = `
    import { writeSync } from 'node:fs'
    export async function load(url, context, next) {
      writeSync(1, url + '\\n')
      return next(url, context)
    }`
  const output = runModule(`
    import { register } from 'node:module'
    register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hooks))})
    await import(${JSON.stringify(specifier)})`)
  return output.split('\n').filter(Boolean)
}

/** Median milliseconds of `runs` processes that run `source`. */
function median(source: string, runs: number): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now()
    runModule(source)
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[runs >> 1] ?? 0
}

test('import nlkit loads files of its own, and no other package', (t) => {
  const loaded = loadedBy('nlkit')
  const ours = new URL('dist/', root).href
  const strangers = loaded.filter((url) => !url.startsWith(ours) && !url.startsWith('node:'))
  assert.ok(loaded.includes(`${ours}index.js`))
  assert.deepEqual(strangers, [])
  assert.deepEqual(
    loaded.filter((url) => /^(kernel|cli|testing)\//.test(url.slice(ours.length))),
    [],
  )
  const bare = median('', 9)
  const extra = median("import 'nlkit'", 9) - bare
  t.diagnostic(
    `import 'nlkit': ${loaded.length} modules, ${extra.toFixed(0)} ms more than bare node (${bare.toFixed(0)} ms)`,
  )
})
