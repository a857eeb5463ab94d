/**
 * The settings of one stack by their names below /proc/sys: what nobody can change by netlink.
 *
 * Kernel: Documentation/networking/ip-sysctl.rst.
 */
import { NetlinkError } from '../../errors.ts'
import type { Devconf4 } from './devconf4.ts'
import { devconf4Files } from './devconf4.ts'
import type { NetStack } from './stack.ts'
import { CoreDirectory } from './sysctl-core.ts'
import { parseInteger, type SysctlDirectory } from './sysctl-file.ts'
import { ConfDirectory6 } from './sysctl-ipv6.ts'
import { KeptDirectory, keptFolders } from './sysctl-kept.ts'
import { NeighDirectory } from './sysctl-neigh.ts'

const FLUSH = 'flush'

/** net/ipv4/conf/NAME. */
class ConfDirectory4 implements SysctlDirectory {
  readonly #stack: NetStack
  readonly #conf: Devconf4

  constructor(stack: NetStack, conf: Devconf4) {
    this.#stack = stack
    this.#conf = conf
  }

  names(): Iterable<string> {
    return devconf4Files.keys()
  }

  mode(name: string): number | undefined {
    return devconf4Files.get(name) === 'mcForwarding' ? 0o444 : undefined
  }

  read(name: string): string | undefined {
    const setting = devconf4Files.get(name)
    return setting && String(this.#conf.get(setting))
  }

  write(name: string, text: string): boolean {
    const setting = devconf4Files.get(name)
    if (!setting) return false
    if (setting === 'mcForwarding') throw new NetlinkError('EACCES')
    this.#stack.netconf4.set(this.#conf, setting, parseInteger(text))
    return true
  }
}

/** net/ipv4 itself: what stands for a setting of all devices, and what is kept. */
class Ipv4Directory implements SysctlDirectory {
  readonly #all: ConfDirectory4
  readonly #kept: KeptDirectory

  constructor(stack: NetStack, kept: KeptDirectory) {
    this.#all = new ConfDirectory4(stack, stack.netconf4.all)
    this.#kept = kept
  }

  names(): Iterable<string> {
    return ['ip_forward', ...this.#kept.names()]
  }

  mode(name: string): number | undefined {
    return this.#kept.mode(name)
  }

  read(name: string): string | undefined {
    return name === 'ip_forward' ? this.#all.read('forwarding') : this.#kept.read(name)
  }

  write(name: string, text: string): boolean {
    if (name === 'ip_forward') return this.#all.write('forwarding', text)
    return this.#kept.write(name, text)
  }
}

/** net/ipv4/route, net/ipv6/route: with a file that is only written, as nothing is cached here. */
class RouteDirectory implements SysctlDirectory {
  readonly #kept: KeptDirectory

  constructor(kept: KeptDirectory) {
    this.#kept = kept
  }

  names(): Iterable<string> {
    return [FLUSH, ...this.#kept.names()]
  }

  mode(name: string): number | undefined {
    return name === FLUSH ? 0o200 : this.#kept.mode(name)
  }

  read(name: string): string | undefined {
    if (name === FLUSH) throw new NetlinkError('EACCES')
    return this.#kept.read(name)
  }

  write(name: string, text: string): boolean {
    if (name !== FLUSH) return this.#kept.write(name, text)
    parseInteger(text)
    return true
  }
}

/** All settings of one stack. */
export class Sysctls {
  readonly #stack: NetStack
  /** What was set of what is kept, by whole path. */
  readonly #values = new Map<string, string>()

  constructor(stack: NetStack) {
    this.#stack = stack
  }

  /** `path`: with slashes, or dots. @throws NetlinkError ENOENT, EIO */
  read(path: string): string {
    const { directory, name } = this.#resolve(path)
    const text = directory?.read(name)
    if (text === undefined) throw new NetlinkError('ENOENT')
    return text
  }

  /** @throws NetlinkError ENOENT, EINVAL, EACCES, EIO */
  write(path: string, text: string): void {
    const { directory, name } = this.#resolve(path)
    if (!directory?.write(name, text)) throw new NetlinkError('ENOENT')
  }

  /** Permissions of a file; undefined where there is none. */
  mode(path: string): number | undefined {
    const { directory, name } = this.#resolve(path)
    if (!directory) return undefined
    const mode = directory.mode?.(name)
    if (mode !== undefined) return mode
    for (const each of directory.names()) if (each === name) return 0o644
    return undefined
  }

  /** What a folder has in it, by name; undefined where there is none. */
  folder(path: string): string[] | undefined {
    const names = new Set<string>(this.#directory(path)?.names() ?? [])
    const before = path === '' ? '' : `${path}/`
    for (const folder of this.#folders())
      if (folder.startsWith(before) && folder !== path)
        names.add(folder.slice(before.length).split('/', 1)[0]!)
    return names.size === 0 ? undefined : [...names]
  }

  /** The paths of all settings. */
  list(): string[] {
    return this.#folders().flatMap((folder) =>
      [...(this.#directory(folder)?.names() ?? [])].map((name) => `${folder}/${name}`),
    )
  }

  #folders(): string[] {
    const devices = this.#stack.devices.list().map(({ name }) => name)
    const own = (kind: string, ...more: string[]): string[] =>
      ['ipv4', 'ipv6'].flatMap((family) =>
        [...more, ...devices].map((name) => `net/${family}/${kind}/${name}`),
      )
    return [...keptFolders, ...own('conf', 'all', 'default'), ...own('neigh', 'default')]
  }

  #resolve(written: string): { directory: SysctlDirectory | undefined; name: string } {
    const path = pathOf(written)
    const at = path.lastIndexOf('/')
    return { directory: this.#directory(path.slice(0, at)), name: path.slice(at + 1) }
  }

  #directory(path: string): SysctlDirectory | undefined {
    const match = /^net\/(ipv4|ipv6)\/(conf|neigh)\/([^/]+)$/.exec(path)
    if (!match) return keptFolders.includes(path) ? this.#kept(path) : undefined
    const [, family = '', kind, which = ''] = match
    if (kind === 'neigh') return this.#neighbours(family, which)
    const { netconf4, netconf6 } = this.#stack
    if (family === 'ipv4') {
      const conf = confOf(which, netconf4, this.#device(which)?.inet?.conf)
      return conf && new ConfDirectory4(this.#stack, conf)
    }
    const dev = this.#device(which)
    const conf = confOf(which, netconf6, dev?.inet6?.conf)
    return conf && new ConfDirectory6(this.#stack, conf, dev)
  }

  #kept(folder: string): SysctlDirectory {
    const kept = new KeptDirectory(folder, this.#values)
    if (folder === 'net/core') return new CoreDirectory(this.#stack, kept)
    if (folder === 'net/ipv4') return new Ipv4Directory(this.#stack, kept)
    return folder.endsWith('/route') ? new RouteDirectory(kept) : kept
  }

  #neighbours(family: string, which: string): SysctlDirectory | undefined {
    const table = family === 'ipv4' ? this.#stack.arp : this.#stack.ndisc
    if (which === 'default') return new NeighDirectory(table.parms.own, table.parms)
    const parms = table.parmsByIndex(this.#device(which)?.ifindex ?? 0)
    return parms && new NeighDirectory(parms, undefined)
  }

  /** By its own name, not by another. */
  #device(name: string) {
    const dev = this.#stack.devices.byName(name)
    return dev?.name === name ? dev : undefined
  }
}

/** As sysctl(8) has it: where the first separator is a dot, dots and slashes change places. */
function pathOf(name: string): string {
  if (!/^[^/]*\./.test(name)) return name
  return name.replace(/[./]/g, (each) => (each === '.' ? '/' : '.'))
}

function confOf<Conf>(
  which: string,
  { all, default: initial }: { readonly all: Conf; readonly default: Conf },
  own: Conf | undefined,
): Conf | undefined {
  if (which === 'all') return all
  return which === 'default' ? initial : own
}
