/**
 * The settings of one stack by their names below /proc/sys: what nobody can change by netlink.
 *
 * Kernel: Documentation/networking/ip-sysctl.rst.
 */
import { NetlinkError } from '../../errors.ts'
import type { Devconf4 } from './devconf4.ts'
import { devconf4Files } from './devconf4.ts'
import type { NetStack } from './stack.ts'
import { parseInteger, type SysctlDirectory } from './sysctl-file.ts'
import { ConfDirectory6 } from './sysctl-ipv6.ts'

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

/** net/ipv4 itself: what stands for a setting of all devices. */
class Ipv4Directory implements SysctlDirectory {
  readonly #all: ConfDirectory4

  constructor(stack: NetStack) {
    this.#all = new ConfDirectory4(stack, stack.netconf4.all)
  }

  names(): Iterable<string> {
    return ['ip_forward']
  }

  read(name: string): string | undefined {
    return name === 'ip_forward' ? this.#all.read('forwarding') : undefined
  }

  write(name: string, text: string): boolean {
    return name === 'ip_forward' && this.#all.write('forwarding', text)
  }
}

/** All settings of one stack. */
export class Sysctls {
  readonly #stack: NetStack

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

  /** The paths of all settings. */
  list(): string[] {
    const devices = ['all', 'default', ...this.#stack.devices.list().map(({ name }) => name)]
    const folders = ['net/ipv4', ...devices.map((name) => `net/ipv4/conf/${name}`)]
    folders.push(...devices.map((name) => `net/ipv6/conf/${name}`))
    const paths: string[] = []
    for (const folder of folders) {
      for (const name of this.#directory(folder)?.names() ?? []) paths.push(`${folder}/${name}`)
    }
    return paths
  }

  #resolve(written: string): { directory: SysctlDirectory | undefined; name: string } {
    const path = pathOf(written)
    const at = path.lastIndexOf('/')
    return { directory: this.#directory(path.slice(0, at)), name: path.slice(at + 1) }
  }

  #directory(path: string): SysctlDirectory | undefined {
    const { netconf4, netconf6 } = this.#stack
    if (path === 'net/ipv4') return new Ipv4Directory(this.#stack)
    const match = /^net\/(ipv4|ipv6)\/conf\/([^/]+)$/.exec(path)
    if (!match) return undefined
    const [, family, which = ''] = match
    if (family === 'ipv4') {
      const conf = confOf(which, netconf4, this.#device(which)?.inet?.conf)
      return conf && new ConfDirectory4(this.#stack, conf)
    }
    const dev = this.#device(which)
    const conf = confOf(which, netconf6, dev?.inet6?.conf)
    return conf && new ConfDirectory6(this.#stack, conf, dev)
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
