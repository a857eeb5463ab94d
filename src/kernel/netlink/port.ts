/**
 * Port ids: a process id if it is free, else a large number; one's own choice if it is free.
 *
 * Kernel: net/netlink/af_netlink.c netlink_insert(), netlink_autobind() (Linux 6.12).
 */
import type { Credentials } from '../credentials.ts'
import { EADDRINUSE } from '../errno.ts'
import type { NetlinkSock } from './sock.ts'

/** Automatic ids that are not a process id are at most this, as signed numbers. */
const ROVER_TOP = -4097
const S32_MIN = -0x80000000

/** The next automatic id of a kernel, for those whose process id is taken. */
export class PortRover {
  #next = ROVER_TOP + 1
  readonly #random: () => number

  /** `random` gives numbers from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random
  }
  next(): number {
    if (this.#next === ROVER_TOP + 1) {
      this.#next = S32_MIN + Math.floor(this.#random() * (ROVER_TOP + 1 - S32_MIN))
    } else if (this.#next < S32_MIN) this.#next = ROVER_TOP
    return this.#next-- >>> 0
  }
}

/** netlink_insert(): takes `portid`. @returns 0 or -EADDRINUSE. */
export function insertPort(sock: NetlinkSock, portid: number): number {
  if (sock.ports.has(portid)) return -EADDRINUSE
  sock.ports.set(portid, sock)
  sock.portid = portid
  sock.isBound = true
  return 0
}

/** netlink_autobind(): takes the caller's process id, or the next free large number. @returns 0. */
export function autobind(sock: NetlinkSock, current: Credentials): number {
  let portid = current.pid >>> 0
  while (portid === 0 || sock.ports.has(portid)) portid = sock.netlink.rover.next()
  return insertPort(sock, portid)
}

/** Gives the port back; it may be taken again at once. */
export function removePort(sock: NetlinkSock): void {
  if (sock.isBound && sock.ports.get(sock.portid) === sock) sock.ports.delete(sock.portid)
}
