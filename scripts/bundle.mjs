/**
 * Puts the compiled program into a few files, dist/bundle/*.cjs, one for each kind of command: Node
 * loads one of them several times faster than the modules that it consists of. Does nothing when
 * they are up to date.
 *
 * `src/cli/bundle.ts` runs them; `src/kernel/module/bundled.ts` gives their classes to kernel modules.
 */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const folder = join(dist, 'bundle')

/** What each bundle leaves out of what is imported on demand, by the path in dist. */
const BUNDLES = {
  kernel: (path) =>
    /^(client|dbus|ynl|families)\//.test(path) ||
    (isCommand(path) && !/^cli\/(kernel|run-command)\.js$/.test(path)),
  client: (path) =>
    /^(kernel|daemon\/daemon|daemon\/record|dbus|ynl|cli\/tour)\b/.test(path) ||
    /^cli\/(dbus|spec|call-spec|record|replay|decode|run-command)\.js$/.test(path),
  dbus: (path) =>
    /^(client|ynl|families)\//.test(path) || (isCommand(path) && path !== 'cli/dbus.js'),
}

const commands = new Set()

function isCommand(path) {
  return commands.has(path)
}

/** Imports on demand, and of what: a path as a literal, or something computed. */
const DEMANDED = /\bimport\((?:'([^']+)'\)|(?=[\w(]))/g

/** `bundle.js` is what gives the bundles their importer. */
const IMPORTER = join(dist, 'cli/bundle.js')

/**
 * A file knows where it lay before it was put into the bundle. What is left out, and what is imported
 * by a computed name, is imported by a real module: a script cannot.
 */
function whereabouts(leavesOut) {
  return {
    name: 'whereabouts',
    setup(build) {
      build.onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (!path.startsWith(dist)) return undefined
        const own = JSON.stringify(relative(dist, path))
        let contents = readFileSync(path, 'utf8').replaceAll(
          'import.meta.url',
          `__nlkitUrl(${own})`,
        )
        if (path !== IMPORTER)
          contents = contents.replaceAll(DEMANDED, (whole, specifier) => {
            if (specifier === undefined) return '__nlkitImport('
            if (!specifier.startsWith('.')) return whole
            const target = relative(dist, join(dirname(path), specifier))
            return leavesOut(target)
              ? `__nlkitImport(__nlkitUrl(${JSON.stringify(target)}))`
              : whole
          })
        return { contents, loader: 'js' }
      })
    },
  }
}

/** Everything goes in that a command loads; these stay outside, as packages of their own. */
const EXTERNAL = ['yaml', 'saxes']

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  legalComments: 'inline',
  metafile: true,
  write: false,
  logLevel: 'warning',
  absWorkingDir: root,
  external: EXTERNAL,
}

/** Defines what `import.meta.url` has become. */
const HEAD =
  "const __nlkitRoot = require('node:url').pathToFileURL(require('node:path').join(__dirname, '..')).href + '/';" +
  ' const __nlkitUrl = (path) => __nlkitRoot + path;'

/** A bundle is read as Latin-1. */
function ascii(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  const stranger = /.*[^\x00-\x7f].*/.exec(text)
  if (stranger) throw new Error(`not ASCII: ${stranger[0]}`)
  return text
}

function write(name, text) {
  const made = join(folder, `${name}.${process.pid}`)
  writeFileSync(made, text)
  renameSync(made, join(folder, name))
}

/** Paths in dist of what goes into a bundle. */
async function filesOf(esbuild, leavesOut) {
  const { metafile } = await esbuild.build({
    ...OPTIONS,
    plugins: [whereabouts(leavesOut)],
    entryPoints: [join(dist, 'cli/run.js')],
  })
  return Object.keys(metafile.inputs)
    .map((path) => relative(dist, join(root, path)))
    .filter((path) => !path.startsWith('..'))
    .sort()
}

/** The names that each file exports. */
async function exportNames(files) {
  const names = {}
  for (const file of files)
    names[file] = Object.keys(await import(pathToFileURL(join(dist, file)).href))
  return names
}

/** A bundle's code. It leaves a table of its modules where others in its process find it. */
async function makeBundle(esbuild, name, files, leavesOut) {
  const table = files.map((file) => `${JSON.stringify(file)}: () => require('./${file}')`)
  const contents = `
    globalThis[Symbol.for('nlkit.bundle')] = {
      root: __nlkitRoot,
      names: require('node:path').join(__dirname, '${name}.json'),
      modules: {${table.join(',\n')}},
    }
    export { run } from './cli/run.js'`
  const { outputFiles } = await esbuild.build({
    ...OPTIONS,
    plugins: [whereabouts(leavesOut)],
    stdin: { contents, resolveDir: dist, loader: 'js' },
  })
  const licence = readFileSync(join(root, 'node_modules/commander/LICENSE'), 'utf8')
  return ascii(`${HEAD}\n${outputFiles[0].text}\n/* commander:\n${licence}*/\n`)
}

/** The program's first lines, for processes that are started by it. */
async function makeMain(esbuild) {
  const { outputFiles } = await esbuild.build({
    ...OPTIONS,
    entryPoints: [join(dist, 'cli/main.js')],
    external: ['./run.js'],
    plugins: [whereabouts(() => false)],
  })
  const text = outputFiles[0].text.replace(/(['"])\.\/run\.js\1/, '"../cli/run.js"')
  const [shebang, ...lines] = text.split('\n')
  return ascii([shebang, HEAD, ...lines].join('\n'))
}

/** Every compiled file that could be in a bundle, with what shows that it has changed. */
function stampOf() {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !/\.test(\.support)?\.js$/.test(name))
    .sort()
    .map((name) => [name, statSync(join(dist, name)).mtimeMs])
  const own = ['bundle.mjs', 'bundle-cache.mjs'].map(
    (name) => statSync(join(root, 'scripts', name)).mtimeMs,
  )
  return JSON.stringify({ node: process.version, own, files })
}

/** Lets V8 remember what it compiles for what a bundle mostly does. */
function makeCache(name) {
  const done = spawnSync(process.execPath, [join(root, 'scripts/bundle-cache.mjs'), name], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  if (done.status !== 0) console.log(`setup: no compile cache for ${name}: ${done.stderr.trim()}`)
}

/** Makes the bundles unless they are up to date; a compiler's record that is newer is no reason to. */
export async function bundle() {
  const names = Object.keys(BUNDLES)
  const stamp = stampOf()
  const stampFile = join(folder, 'stamp.json')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    const now = new Date()
    for (const name of names) utimesSync(join(folder, `${name}.cjs`), now, now)
    return
  }
  const esbuild = await import('esbuild')
  rmSync(stampFile, { force: true })
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.endsWith('.cache')) rmSync(join(folder, name))
  const { COMMANDS } = await import(pathToFileURL(join(dist, 'cli/commands.js')).href)
  for (const { load } of COMMANDS)
    commands.add(`cli/${/import\('\.\/([^']+)'\)/.exec(load.toString())[1]}`)
  write('main.cjs', await makeMain(esbuild))
  for (const name of names) {
    const files = await filesOf(esbuild, BUNDLES[name])
    write(`${name}.json`, JSON.stringify(await exportNames(files)))
    write(`${name}.cjs`, await makeBundle(esbuild, name, files, BUNDLES[name]))
  }
  for (const name of names) makeCache(name)
  write('stamp.json', stamp)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await bundle()
