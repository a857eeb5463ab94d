/** Brings what the lists are made of from Debian's packages into a cache outside the repository. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The versions that the lists are pinned to. */
const IPROUTE2 = '6.1.0-3'
const LINUX_SOURCE = '6.12'

const SECONDS = 300

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nlkit-fidelity')

/** @throws Error with the program's complaint */
function run(file: string, args: readonly string[], cwd: string): void {
  execFileSync(file, [...args], {
    cwd,
    timeout: SECONDS * 1000,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** Fills a folder of the cache, once; what fails half way leaves nothing. */
function cached(name: string, fill: (folder: string) => void): string {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const half = `${folder}.${process.pid}`
  mkdirSync(half, { recursive: true })
  try {
    fill(half)
    renameSync(half, folder)
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
  return folder
}

/** apt's options for the machine's own sources, read as sources of source packages. */
function sourceOptions(folder: string): string[] {
  const parts = join(folder, 'parts')
  mkdirSync(parts)
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true })
  const own = '/etc/apt/sources.list.d'
  const files = existsSync(own) ? readdirSync(own).map((name) => join(own, name)) : []
  for (const [n, file] of ['/etc/apt/sources.list', ...files].entries()) {
    if (!existsSync(file) || !/debian/i.test(readFileSync(file, 'utf8'))) continue
    const text = readFileSync(file, 'utf8')
      .replace(/^Types:.*$/gm, 'Types: deb-src')
      .replace(/^deb /gm, 'deb-src ')
    const ending = file.endsWith('.sources') ? 'sources' : 'list'
    writeFileSync(join(parts, `source${n}.${ending}`), text)
  }
  const set = (name: string, value: string): string[] => ['-o', `${name}=${value}`]
  return [
    '-qq',
    ...set('Dir::Etc::SourceList', '/dev/null'),
    ...set('Dir::Etc::SourceParts', parts),
    ...set('Dir::State::Lists', join(folder, 'lists')),
  ]
}

/** The `testsuite` folder of iproute2. @throws Error when it cannot be fetched */
export function fetchIproute2(): string {
  return join(
    cached(`iproute2-${IPROUTE2}`, (folder) => {
      const options = sourceOptions(folder)
      run('apt-get', [...options, 'update'], folder)
      run('apt-get', [...options, 'source', '--download-only', `iproute2=${IPROUTE2}`], folder)
      const archive = readdirSync(folder).find((name) => name.endsWith('.orig.tar.xz'))
      if (!archive) throw new Error('the source package of iproute2 has no archive')
      run('tar', ['-xf', archive, '--strip-components=1', '--wildcards', '*/testsuite'], folder)
      for (const name of ['parts', 'lists']) rmSync(join(folder, name), { recursive: true })
    }),
    'testsuite',
  )
}

/** The program that sends packets for some of them, which they want to be built. */
function buildNettest(folder: string): string {
  if (!existsSync(join(folder, 'nettest'))) run('cc', ['-o', 'nettest', 'nettest.c'], folder)
  return folder
}

/** The folder of Linux's network self tests. @throws Error when it cannot be fetched */
export function fetchSelftests(): string {
  const name = `linux-source-${LINUX_SOURCE}`
  return buildNettest(
    join(
      cached(name, (folder) => {
        run('apt-get', ['-qq', 'download', name], folder)
        const deb = readdirSync(folder).find((file) => file.endsWith('.deb'))
        if (!deb) throw new Error(`${name} was not fetched`)
        run('dpkg-deb', ['-x', deb, '.'], folder)
        const tests = `${name}/tools/testing/selftests`
        const wanted = ['net', 'kselftest', 'lib.sh'].map((part) => `${tests}/${part}`)
        const archive = join('usr', 'src', `${name}.tar.xz`)
        run(
          'tar',
          ['-xf', archive, '--strip-components=3', '--ignore-failed-read', wanted[0]!],
          folder,
        )
        for (const waste of ['usr', deb]) rmSync(join(folder, waste), { recursive: true })
      }),
      'selftests',
      'net',
    ),
  )
}
