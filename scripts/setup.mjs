/**
 * Set-up: dependencies, native addon, compiled TypeScript. Does only what is out of date.
 *
 * Needs nothing but Node's built-ins, because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Whether Node `version` satisfies the `engines` line of package.json, which is `>=MAJOR.MINOR`. */
export function isNewEnough(version, engines) {
  const [major, minor] = engines.replace('>=', '').split('.').map(Number)
  const [ourMajor, ourMinor] = version.split('.').map(Number)
  return ourMajor > major || (ourMajor === major && ourMinor >= minor)
}

/** Names of the packages that the lockfile wants and node_modules lacks, or has in another version. */
export function missingPackages(wanted, installed) {
  return Object.keys(wanted).filter((path) => {
    if (path === '') return false
    const found = installed[path]
    if (found === undefined) return wanted[path].optional !== true
    return found.version !== wanted[path].version
  })
}

/** Paths under `directory`, without it. */
function filesUnder(directory) {
  return existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : []
}

/** Compiled files under `outDir` whose source under `sourceDir` is gone. */
export function orphans(outDir, sourceDir) {
  return filesUnder(outDir).filter((name) => {
    const stem = name.replace(/\.(d\.ts|js)(\.map)?$/, '')
    return stem !== name && !existsSync(join(sourceDir, `${stem}.ts`))
  })
}

/** Sources under `sourceDir` that have no compiled form under `outDir`. */
export function uncompiled(outDir, sourceDir) {
  return filesUnder(sourceDir).filter(
    (name) => name.endsWith('.ts') && !existsSync(join(outDir, name.replace(/\.ts$/, '.js'))),
  )
}

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}

function start(command, args) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
}

/** Ends with what a failed step said. */
function stop(what, { stdout, stderr, status, error }) {
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  fail(`setup: ${what} failed (${error?.message ?? `exit code ${status}`})`)
}

/** Runs a step; its output is shown only when it fails. */
function run(what, command, args) {
  const done = start(command, args)
  if (done.status !== 0) stop(what, done)
}

function readPackages(file) {
  const path = join(root, file)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}

/** npm leaves a lockfile of what it installed in node_modules, and writes it last. */
function installDependencies() {
  const installed = readPackages('node_modules/.package-lock.json')
  const missing = missingPackages(readPackages('package-lock.json'), installed ?? {})
  if (installed && missing.length === 0) return
  console.log('setup: installing dependencies (npm ci)')
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Without a compiler all but the live kernel works, so that is no reason to stop. */
function buildNative() {
  const done = start(process.execPath, [join(root, 'scripts/build-native.mjs')])
  if (done.status === 0) process.stdout.write(done.stdout)
  else if (/no C compiler/.test(done.stderr))
    console.log(
      `setup: without the live kernel, for there is ${done.stderr.slice('native: '.length).trim()}`,
    )
  else stop('the native addon', done)
}

/** Directories of sources, where their compiled form goes, and tsc's record of the build. */
const TREES = [
  { sources: 'src', output: 'dist', record: 'dist/.tsbuildinfo' },
  { sources: 'test', output: 'build/test', record: 'build/.tsbuildinfo' },
  { sources: 'examples', output: 'build/examples', record: 'build/.tsbuildinfo' },
  { sources: 'bench', output: 'build/bench', record: 'build/.tsbuildinfo' },
]

/** tsc never removes an output, and trusts its record about the outputs that it made before. */
function compile() {
  for (const { sources, output, record } of TREES) {
    for (const name of orphans(join(root, output), join(root, sources)))
      rmSync(join(root, output, name))
    const lost = uncompiled(join(root, output), join(root, sources))
    if (lost.length > 0) rmSync(join(root, record), { force: true })
  }
  run('tsc -b', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
}

/** Without it all works, and starts more slowly. */
async function makeBundle() {
  try {
    await (await import('./bundle.mjs')).bundle()
  } catch (error) {
    console.log(`setup: without a bundle: ${error.message}`)
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (!isNewEnough(process.versions.node, engines.node))
    fail(`nlkit needs Node ${engines.node}; this is ${process.versions.node}.`)
  installDependencies()
  buildNative()
  compile()
  await makeBundle()
}
