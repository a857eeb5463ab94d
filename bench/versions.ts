/** Versions of the peers, as far as this machine has them. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Debian's packages of peers, and how they are called. */
const PACKAGES: Readonly<Record<string, string>> = {
  'libmnl-dev': 'libmnl',
  'libnl-3-dev': 'libnl',
  'golang-github-vishvananda-netlink-dev': 'go vishvananda/netlink',
  'librust-rtnetlink-dev': 'rust rtnetlink',
  'python3-pyroute2': 'pyroute2',
  iproute2: 'iproute2',
}

/** The version of the npm package `netlink` that bench:setup installed. */
function npmNetlink(): string | undefined {
  const file = new URL('../peers/npm/node_modules/netlink/package.json', import.meta.url)
  try {
    return (JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as { version: string }).version
  } catch {
    return undefined
  }
}

/** `libmnl 1.0.4`, one for each peer that is here. */
export function peerVersions(): string[] {
  const format = ['-W', '-f', `\${Package} \${Version}\n`]
  const { stdout } = spawnSync('dpkg-query', [...format, ...Object.keys(PACKAGES)], {
    encoding: 'utf8',
  })
  const found = (stdout ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, version]) => version)
    .map(([name = '', version = '']) => `${PACKAGES[name]} ${version.replace(/-.*$/, '')}`)
  const npm = npmNetlink()
  return [...found, ...(npm === undefined ? [] : [`npm netlink ${npm}`])].sort()
}
