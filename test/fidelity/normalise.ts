/**
 * Evens out what no kernel promises, and nothing else; one rule a promise that is missing:
 *
 * - a MAC address that the kernel drew, and the IPv6 addresses made of it: numbered by appearance
 * - the permanent address of a tunnel, which is drawn, and a stable address made of a drawn secret
 * - timers that run: seconds are rounded up to tens, a neighbour's ages and a bridge's timers go,
 *   and so do the moments since boot that libnl shows
 * - a neighbour's reachable time, which is drawn between half and one and a half of its base
 * - neighbours that are multicast addresses: they come with a packet that is sent at a drawn moment
 * - UUIDs that a script drew from /proc/sys/kernel/random
 * - names of temporary files and of this run's folders, and the process ids that a shell complains of
 * - the handle of a queueing discipline that the kernel chose: Linux counts for the whole machine
 * - the inode numbers and handles of sockets, in ss's lines
 */
import type { Outcome } from './driver.ts'

const MAC = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g
const EUI64 = /\bfe80::(?:[0-9a-f]{1,4}:){3}[0-9a-f]{1,4}\b/g
const FIXED = /^(00:00:00:00:00:00|ff:ff:ff:ff:ff:ff|33:33|01:)/

/** The MAC address of which an EUI-64 address was made, or undefined. */
function macOf(address: string): string | undefined {
  const words = address
    .slice('fe80::'.length)
    .split(':')
    .map((word) => word.padStart(4, '0'))
  const hex = words.join('')
  if (hex.slice(6, 10) !== 'fffe') return undefined
  const first = (Number.parseInt(hex.slice(0, 2), 16) ^ 2).toString(16).padStart(2, '0')
  return `${first}${hex.slice(2, 6)}${hex.slice(10)}`.replace(/(..)(?=.)/g, '$1:')
}

/** A function that numbers drawn addresses; those that `script` names stay as they are. */
function renamer(script: string): (text: string) => string {
  const names = new Map<string, string>()
  const name = (mac: string): string => {
    if (FIXED.test(mac) || script.includes(mac)) return mac
    const known = names.get(mac) ?? `MAC#${names.size + 1}`
    names.set(mac, known)
    return known
  }
  return (text) =>
    text.replace(MAC, name).replace(EUI64, (address) => {
      const mac = macOf(address)
      return mac === undefined || name(mac) === mac ? address : `fe80::${name(mac)}`
    })
}

const tens = (digits: string): string => `${Math.ceil(Number(digits) / 10) * 10}`

function withoutTime(text: string): string {
  return text
    .replace(/\b(\d+)sec\b/g, (_, digits: string) => `${tens(digits)}sec`)
    .replace(
      /"((?:valid|preferred)_life_time|expires)":(\d{1,9})\b/g,
      (_, key, digits) => `"${key}":${tens(digits)}`,
    )
    .replace(/\b(used) [\d.]+\/[\d.]+\/[\d.]+/g, '$1 AGES')
    .replace(
      /\b(hello|tcn|topology_change|gc|hold|message_age|forward_delay)_timer +[\d.]+/g,
      '$1_timer TIME',
    )
    .replace(/"(hello|tcn|topology_change|gc)_timer":[\d.]+/g, '"$1_timer":0')
    .replace(/"(used|confirmed|updated)":\d+/g, '"$1":0')
    .replace(/\bboot-time\+(?:\d+(?:h|m|s|msec) ?)+/g, 'boot-time+TIME ')
    .replace(/\bcreate-stamp \S+/g, 'create-stamp TIME')
    .replace(/\breachable(-time)? (?:\d+(?:h|m|s|msec) ?)+(?:sec )?/g, 'reachable$1 DRAWN ')
    .replace(/\breachable \d{5}\b/g, 'reachable DRAWN')
    .replace(/"reachable":\d{5}\b/g, '"reachable":0')
}

/** A tunnel over IPv6 draws six bytes, which are shown as an address. */
function withoutDrawn(text: string): string {
  const stable = [
    ...text.matchAll(/\binet6 (fe80::\S+)\/64 scope link (?:tentative )?stable-privacy/g),
  ]
  return stable
    .reduce((all, [, address = '']) => all.replaceAll(address, 'fe80::DRAWN'), text)
    .replace(/\bpermaddr [0-9a-f:]+::(?=\s|$)/gm, 'permaddr DRAWN')
    .replace(/"permaddr":"[0-9a-f:]+::"/g, '"permaddr":"DRAWN"')
}

/** ip's and libnl's lines, and the monitor's. */
const MULTICAST_NEIGHBOUR =
  /^(?:\[NEIGH\])?(?:Deleted )?(?:inet6? )?(?:ff0[0-9a-f]::\S+|224\.0\.0\.\S+) dev \S+ lladdr \S+ (?:NOARP|<noarp>) *\n?/gm

function withoutPackets(text: string): string {
  return text.replace(MULTICAST_NEIGHBOUR, '')
}

function withoutPlaces(text: string): string {
  return text
    .replace(/\/tmp\/nlkit-fidelity-\w+/g, 'FOLDER')
    .replace(/\/tmp\/(tc_testsuite|tmp)\.\w+/g, '/tmp/FILE')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replace(/\bdev-[A-Za-z]{6}\b/g, 'dev-RANDOM')
    .replace(/(: line \d+:) +\d+ (Segmentation fault)/g, '$1 PID $2')
    .replace(/\b(qdisc \w+) 8[0-9a-f]{3}:/g, '$1 CHOSEN:')
}

/** The same outcome with only what is promised; twice is as once. `script` is what was run. */
export function normalise({ steps, monitor }: Outcome, script: string): Outcome {
  const rename = renamer(script)
  const clean = (text: string): string =>
    rename(withoutTime(withoutPackets(withoutPlaces(withoutDrawn(text)))))
  return {
    steps: steps.map(({ stdout, stderr, code }) => ({
      stdout: clean(stdout),
      stderr: clean(stderr),
      code,
    })),
    monitor: clean(monitor),
  }
}

/**
 * What changed between Linux releases, and so between a recording and the release that nlkit follows:
 * how much may be segmented at once.
 */
export function withoutRelease({ steps, monitor }: Outcome): Outcome {
  const clean = (text: string): string =>
    text
      .replace(/ tso_max_size \d+ tso_max_segs \d+/g, '')
      .replace(/,"tso_max_size":\d+,"tso_max_segs":\d+/g, '')
  return {
    steps: steps.map((step) => ({ ...step, stdout: clean(step.stdout) })),
    monitor,
  }
}
