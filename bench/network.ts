/** Networks to measure in: a namespace for the run, with a link and as many routes as wanted. */
import { spawnSync } from 'node:child_process'

/** The command that runs a program in a new network namespace. */
export function insideNamespace(program: string, args: readonly string[]): string[] {
  const flags = process.getuid?.() === 0 ? ['-n'] : ['-U', '-r', '-n']
  return ['unshare', ...flags, program, ...args]
}

/** Commands for `ip -batch`. @throws Error with what ip(8) said. */
export function ipBatch(lines: Iterable<string>): void {
  const input = [...lines].join('\n')
  const { status, stderr, error } = spawnSync('ip', ['-batch', '-'], { input, encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`ip -batch: ${error?.message ?? stderr.slice(0, 200)}`)
}

/** A link that is up, with an address of each family. */
export function makeLink(): void {
  ipBatch([
    'link set lo up',
    'link add v0 type veth peer name v1',
    'link set v0 up',
    'link set v1 up',
    'address add 192.168.77.1/24 dev v0',
    'address add fd77::1/64 dev v0 nodad',
  ])
}

/** The IPv4 address of number `i`, four apart. */
export function address(i: number): string {
  const bits = 0x1000_0000 + 4 * i
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`
}

/** Host routes by way of a gateway. */
export function* hostRoutes(count: number, verb = 'add'): Generator<string> {
  for (let i = 0; i < count; i++)
    yield `route ${verb} ${address(i)}/32 via 192.168.77.2 dev v0 proto 200 metric 10`
}

/** IPv4, IPv6, multipath, nexthop objects and metrics in turn. */
export function* mixedRoutes(count: number): Generator<string> {
  yield 'nexthop add id 7 via 192.168.77.3 dev v0'
  for (let i = 0; i < count; i++) {
    const six = `fd00:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::/64`
    switch (i % 6) {
      case 0:
      case 3:
        yield `route add ${address(i)}/32 via 192.168.77.2 dev v0 proto 200 metric 10`
        break
      case 1:
      case 4:
        yield `route add ${six} via fd77::2 dev v0 metric 20`
        break
      case 2:
        yield `route add ${address(i)}/32 nexthop via 192.168.77.2 dev v0 weight 2 nexthop via 192.168.77.3 dev v0`
        break
      default:
        yield i % 12 === 5
          ? `route add ${address(i)}/32 nhid 7`
          : `route add ${address(i)}/32 via 192.168.77.2 dev v0 mtu 1400 advmss 1300`
    }
  }
}
