/**
 * The program in a few files, as the build makes them (scripts/bundle.mjs): Node loads one of them
 * several times faster than the modules that it consists of.
 *
 * They lie in `bundle/` beside `cli/`, one for each kind of command. Whoever runs tsc alone has newer
 * modules than bundles; then the modules are what counts.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

/** What a bundle exports. */
export interface Bundle {
  readonly run: typeof import('./run.ts').run
}

const folder = fileURLToPath(new URL('../bundle/', import.meta.url))
const record = fileURLToPath(new URL('../.tsbuildinfo', import.meta.url))

/** Commands of a client: the bundle `client` has them. */
const CLIENT = new Set(
  (
    'link l addr a address route r neigh n neighbour neighbor rule ru nexthop nh ntable netconf ' +
    'addrlabel maddr maddress mroute mr stats qdisc class filter monitor mon family call listen module ' +
    'dmesg chains sockets netns proc uevent kernel'
  ).split(' '),
)

/** Options after which the command line alone does not say what has to be loaded. */
const OPEN_ENDED = new Set(['-b', '-batch', '--batch', '--spec', 'spec'])

/** The bundle that has all that a command line needs, if there is one. */
export function bundleFor(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): 'kernel' | 'client' | 'dbus' | undefined {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  const [command, verb] = words
  if (command === 'kernel' && verb === 'start') return 'kernel'
  const isServed = words.some((word) => word.startsWith('--kernel')) || env.NLKIT_KERNEL
  if (command === 'run' && !isServed) return 'kernel'
  if (command === 'dbus') return 'dbus'
  const isOpenEnded = words.some((word) => OPEN_ENDED.has(word) || word.startsWith('--batch='))
  const isEmbedded = [...words, env.NLKIT_KERNEL].some((word) => word?.endsWith('embedded'))
  if (isOpenEnded || isEmbedded || process.platform !== 'linux') return undefined
  return words.some((word) => CLIENT.has(word)) ? 'client' : undefined
}

/** A bundle's code: ASCII, so that it is read without being decoded. */
function codeOf(name: string): string {
  return `${folder}${name}.cjs`
}

/** What V8 made of that code when it was built; V8 looks itself whether that is still of use. */
export function cacheOf(name: string): string {
  return `${folder}${name}-${process.version}-${process.arch}.cache`
}

/** Compiles a bundle, with what is known of it already if it is to be `quick`. */
export function compileBundle(name: string, quick = false): Script {
  const filename = codeOf(name)
  const [source, cachedData] = read(filename, quick ? cacheOf(name) : undefined)
  return new Script(`(function (module, require, __dirname, __nlkitImport) {${source}\n})`, {
    filename,
    ...(cachedData && { cachedData }),
  })
}

/** Runs a compiled bundle: its exports. */
export function evaluateBundle(script: Script): Bundle {
  const module: { exports?: Bundle } = {}
  const load = (url: string): Promise<unknown> => import(url)
  script.runInThisContext()(module, createRequire(folder), folder, load)
  return module.exports!
}

/** The file that starts a process with a bundle, unless that is not there or older than the modules. */
export function bundledProgram(name: string): string | undefined {
  const made = statSync(codeOf(name), { throwIfNoEntry: false })
  if (!made) return undefined
  const compiled = statSync(record, { throwIfNoEntry: false })
  return compiled && compiled.mtimeMs > made.mtimeMs ? undefined : `${folder}main.cjs`
}

/** A bundle, unless there is none or it is older than the modules. */
export function loadBundle(name: string | undefined): Bundle | undefined {
  if (name === undefined || bundledProgram(name) === undefined) return undefined
  return evaluateBundle(compileBundle(name, true))
}

/**
 * A file as text, and another as bytes. One piece of memory serves for both: to get fresh memory from
 * the machine costs more than to read.
 */
function read(code: string, cache: string | undefined): [string, Buffer?] {
  const kept = cache === undefined ? undefined : statSync(cache, { throwIfNoEntry: false })
  const room = Buffer.allocUnsafeSlow(Math.max(statSync(code).size, kept?.size ?? 0))
  const source = room.toString('latin1', 0, readInto(room, code))
  return cache === undefined || !kept ? [source] : [source, room.subarray(0, readInto(room, cache))]
}

/** @returns how many bytes there were. */
function readInto(room: Buffer, path: string): number {
  const fd = openSync(path, 'r')
  try {
    let length = 0
    for (;;) {
      const got = readSync(fd, room, length, room.length - length, null)
      length += got
      if (got === 0 || length === room.length) return length
    }
  } finally {
    closeSync(fd)
  }
}
