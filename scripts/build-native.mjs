/**
 * Builds the native addon of native/socket and the preload shim of native/preload, each unless its
 * binary was made of these very sources.
 *
 * Needs nothing but Node's built-ins and a C compiler; no C library is linked, so that one binary
 * serves every libc of its architecture.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Outline atomics, the default on arm64, would call a library that is not linked. */
const archFlags = process.arch === 'arm64' ? ['-mno-outline-atomics'] : []
const flags = [
  ...['-O2', '-Wall', '-Wextra', '-fPIC', '-fvisibility=hidden', ...archFlags],
  ...['-D_GNU_SOURCE', '-U_FORTIFY_SOURCE'],
  ...['-shared', '-nostdlib', '-s', '-Wl,-z,now,-z,noseparate-code'],
]

/** What is built: from the sources in `folder`, into `prebuilt` there. */
const LIBRARIES = [
  { folder: 'socket', suffix: 'node', own: ['-std=c11', '-DNAPI_VERSION=8'], needsNode: true },
  { folder: 'preload', suffix: 'so', own: ['-std=gnu11', '-ftls-model=initial-exec'] },
].map((library) => {
  const folder = join(root, 'native', library.folder)
  return {
    ...library,
    folder,
    binary: join(folder, `prebuilt/linux-${process.arch}.${library.suffix}`),
    /** Source files, in a fixed order. */
    sources: readdirSync(folder)
      .filter((name) => /\.[ch]$/.test(name))
      .sort(),
  }
})

function fail(sentence) {
  console.error(`native: ${sentence}`)
  process.exit(1)
}

/** What a binary is made of, as it stands in the binary itself. */
function fingerprint({ folder, own, sources }) {
  const hash = createHash('sha256').update([...own, ...flags].join(' '))
  for (const name of sources) hash.update(name).update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 32)
}

function isUpToDate(binary, print) {
  return existsSync(binary) && readFileSync(binary).includes(`nlkit-sources:${print}`)
}

/** Directory of node_api.h: the package's, or what came with this Node. */
function findHeaders() {
  const candidates = [join(dirname(process.execPath), '../include/node')]
  try {
    const headers = createRequire(import.meta.url).resolve('node-api-headers')
    candidates.unshift(join(dirname(headers), 'include'))
  } catch {
    // Not installed: an installed nlkit has no development dependencies.
  }
  const found = candidates.find((directory) => existsSync(join(directory, 'node_api.h')))
  if (found) return found
  return fail(`node_api.h is in none of ${candidates.join(', ')}; npm install node-api-headers`)
}

/** The compiler's command and its own arguments. */
function findCompiler() {
  const candidates = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean)
  for (const candidate of candidates) {
    const [command, ...args] = candidate.trim().split(/\s+/)
    if (spawnSync(command, [...args, '--version']).status === 0) return [command, args]
  }
  return fail(
    `no C compiler (tried ${candidates.join(', ')}); install one, such as with: apt install gcc`,
  )
}

function build({ folder, binary, own, sources, needsNode }, print) {
  const headers = needsNode ? ['-I', findHeaders()] : []
  const [command, args] = findCompiler()
  mkdirSync(dirname(binary), { recursive: true })
  const made = `${binary}.${process.pid}`
  const done = spawnSync(
    command,
    [
      ...[...args, ...own, ...flags, `-DNLKIT_SOURCES="${print}"`, ...headers, '-o', made],
      ...sources.filter((name) => name.endsWith('.c')).map((name) => join(folder, name)),
    ],
    { encoding: 'utf8' },
  )
  process.stderr.write(done.stderr ?? '')
  if (done.status !== 0) {
    rmSync(made, { force: true })
    fail(`${command} failed (${done.error?.message ?? `exit code ${done.status}`})`)
  }
  renameSync(made, binary)
  console.log(`native: built ${relative(root, binary)}`)
}

if (process.platform === 'linux') {
  for (const library of LIBRARIES) {
    const print = fingerprint(library)
    if (!isUpToDate(library.binary, print)) build(library, print)
  }
}
