/**
 * The files of net/ipv6/conf/NAME: their units and limits.
 *
 * Kernel: net/ipv6/addrconf.c addrconf_sysctl, addrconf_sysctl_mtu(),
 * addrconf_sysctl_stable_secret() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv6, parseIpv6 } from './address.ts'
import { IPV6_MIN_MTU } from './constants.ts'
import { type Devconf6, type Devconf6Name, devconf6Files } from './devconf6.ts'
import type { NetDevice } from './device.ts'
import { IN6_ADDR_GEN_MODE_RANDOM, IN6_ADDR_GEN_MODE_STABLE_PRIVACY } from './ifaddr6.ts'
import type { NetStack } from './stack.ts'
import { parseInteger, type SysctlDirectory } from './sysctl-file.ts'

const UINT_MAX = 0xffffffff

/** Least and most, where that is less than an int. */
const LIMITS: Partial<Record<Devconf6Name, readonly [number, number]>> = {
  hoplimit: [1, 255],
  rtrSolicits: [-1, 0x7fffffff],
  raDefrtrMetric: [1, UINT_MAX],
  raHonorPioLife: [0, 1],
  raHonorPioPflag: [0, 1],
  ndiscTclass: [0, 255],
  rplSegEnabled: [0, 1],
  ioam6Enabled: [0, 1],
  ioam6Id: [0, 65_535],
  ioam6IdWide: [0, UINT_MAX],
  ndiscEvictNocarrier: [0, 1],
  acceptUntrackedNa: [0, 2],
  forceForwarding: [0, 1],
}

/** What the file has in seconds. */
const SECONDS: ReadonlySet<Devconf6Name> = new Set<Devconf6Name>([
  'rtrSolicitInterval',
  'rtrSolicitDelay',
  'rtrSolicitMaxInterval',
  'rtrProbeInterval',
])

const STABLE_SECRET = 'stable_secret'

export class ConfDirectory6 implements SysctlDirectory {
  readonly #stack: NetStack
  readonly #conf: Devconf6
  readonly #dev: NetDevice | undefined

  constructor(stack: NetStack, conf: Devconf6, dev: NetDevice | undefined) {
    this.#stack = stack
    this.#conf = conf
    this.#dev = dev
  }

  names(): Iterable<string> {
    return [...devconf6Files.keys(), STABLE_SECRET]
  }

  read(name: string): string | undefined {
    if (name === STABLE_SECRET) {
      const secret = this.#stack.netconf6.secretOf(this.#conf)
      if (secret === undefined) throw new NetlinkError('EIO')
      return groupsOf(secret)
    }
    const setting = devconf6Files.get(name)
    if (!setting) return undefined
    const value = this.#conf.get(setting)
    if (SECONDS.has(setting)) return String(Math.floor(value / 1000))
    return String(LIMITS[setting]?.[1] === UINT_MAX ? value >>> 0 : value)
  }

  write(name: string, text: string): boolean {
    const { netconf6 } = this.#stack
    if (name === STABLE_SECRET) {
      this.#setSecret(text)
      return true
    }
    const setting = devconf6Files.get(name)
    if (!setting) return false
    if (setting === 'mcForwarding') throw new NetlinkError('EACCES')
    const value = this.#parse(setting, text)
    netconf6.set(this.#conf, setting, value)
    return true
  }

  #parse(setting: Devconf6Name, text: string): number {
    if (setting === 'mtu6') return parseInteger(text, IPV6_MIN_MTU, this.#dev?.mtu)
    if (setting === 'addrGenMode') return this.#parseGenMode(text)
    const value = parseInteger(text, ...(LIMITS[setting] ?? []))
    return SECONDS.has(setting) ? value * 1000 : value | 0
  }

  /** check_addr_gen_mode(), check_stable_privacy(). */
  #parseGenMode(text: string): number {
    const mode = parseInteger(text, 0, IN6_ADDR_GEN_MODE_RANDOM)
    if (mode !== IN6_ADDR_GEN_MODE_STABLE_PRIVACY || !this.#dev) return mode
    if (!this.#stack.netconf6.hasSecret(this.#conf)) throw new NetlinkError('EINVAL')
    return mode
  }

  #setSecret(text: string): void {
    if (this.#conf === this.#stack.netconf6.all) throw new NetlinkError('EIO')
    let secret: Ipv6
    try {
      secret = parseIpv6(text.trim())
    } catch {
      throw new NetlinkError('EIO')
    }
    this.#stack.netconf6.setSecret(this.#conf, secret)
  }
}

/** All eight groups, with all their digits. */
function groupsOf(address: Ipv6): string {
  return address.toString(16).padStart(32, '0').match(/.{4}/g)?.join(':') ?? ''
}
