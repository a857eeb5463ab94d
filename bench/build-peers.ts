/**
 * `npm run bench:setup`: builds the peers of `npm run bench`. As root it installs Debian's packages
 * of them first; what cannot be had is named and left out of the bench.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { peerVersions } from './versions.ts'

const sources = fileURLToPath(new URL('../../bench/peers/', import.meta.url))
const out = fileURLToPath(new URL('../peers/', import.meta.url))

const PACKAGES = [
  'iproute2',
  'dbus',
  'dbus-broker',
  'libmnl-dev',
  'libnl-3-dev',
  'libnl-route-3-dev',
  'python3-pyroute2',
  'golang-go',
  'golang-github-vishvananda-netlink-dev',
  'librust-rtnetlink-dev',
  'librust-rtnetlink+tokio-socket-dev',
  'librust-tokio-dev',
  'librust-futures-dev',
]

function run(command: string, args: string[], options: object = {}): boolean {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...options,
  })
  return status === 0
}

/** Each package alone, so that one that is missing leaves the others. */
function install(): void {
  if (process.getuid?.() !== 0) {
    console.log('not root: peers that need packages may be missing')
    return
  }
  run('apt-get', ['update', '-qq'])
  for (const name of PACKAGES) {
    const args = ['install', '-y', '-qq', '--no-install-recommends', name]
    if (!run('apt-get', args)) console.log(`no package ${name}`)
  }
}

const cc = (name: string, ...flags: string[]): boolean =>
  run('cc', ['-O2', '-o', `${out}${name}`, `${sources}${name}.c`, ...flags])

/** Debian keeps the sources of Go and Rust libraries where their compilers find them offline. */
const PEERS: [name: string, build: () => boolean][] = [
  ['D-Bus load', () => cc('dbus-load', `${sources}dbus-wire.c`) && cc('dbus-broker-run')],
  ['C', () => cc('route-dump') && cc('requests') && cc('route-get')],
  ['libmnl', () => cc('route-dump-mnl', '-lmnl') && cc('requests-mnl', '-lmnl')],
  ['libnl', () => cc('route-dump-nl', '-I/usr/include/libnl3', '-lnl-route-3', '-lnl-3')],
  [
    'Go',
    () =>
      run('go', ['build', '-o', `${out}route-dump-go`, `${sources}route-dump.go`], {
        env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' },
      }),
  ],
  ['Rust', rust],
  ['npm netlink', npm],
  [
    'pyroute2',
    () => {
      copyFileSync(`${sources}route_dump.py`, `${out}route_dump.py`)
      return run('/usr/bin/python3', ['-c', 'import pyroute2'])
    },
  ],
]

function rust(): boolean {
  const registry = '/usr/share/cargo/registry'
  const config = [
    '--config',
    'source.crates-io.replace-with="debian"',
    '--config',
    `source.debian.directory="${registry}"`,
  ]
  const target = ['--target-dir', `${out}rust`, '--manifest-path', `${sources}rust/Cargo.toml`]
  const isBuilt = run('cargo', ['build', '--release', '--offline', '--quiet', ...target, ...config])
  if (isBuilt) copyFileSync(`${out}rust/release/route-dump`, `${out}route-dump-rust`)
  return isBuilt
}

/** The one npm package of the kind; its binaries are prebuilt, so that no script of it has to run. */
function npm(): boolean {
  const folder = `${out}npm/`
  mkdirSync(folder, { recursive: true })
  copyFileSync(`${sources}route-dump-npm.cjs`, `${folder}route-dump-npm.cjs`)
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
  return run('npm', ['install', '--prefix', folder, ...quiet, 'netlink@0.3.0'])
}

mkdirSync(out, { recursive: true })
if (!process.argv.includes('--no-install')) install()
for (const [name, build] of PEERS)
  console.log(`${name}: ${build() ? 'built' : 'not to be had here'}`)
console.log(peerVersions().join(', '))
