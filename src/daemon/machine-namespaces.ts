/**
 * The machine's network namespaces, as programs behind the shim move between them: each has a
 * namespace of the kernel for itself, for as long as a process or a name keeps it.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import type { Kernel } from '../kernel/kernel.ts'
import type { Net, NetFinder } from '../kernel/net-namespace.ts'

const LINK = /^net:\[(\d+)\]$/
const NUMBER = /^\d+$/

/** One of the machine's that is not the one where it all began. */
interface Foreign {
  readonly net: Net
  /** Keeps the system from giving its number to another; -1 where it may not be opened. */
  readonly fd: number
}

/** What a link says, or undefined where there is none, or it may not be read. */
function inodeAt(link: string): number | undefined {
  try {
    return Number(LINK.exec(readlinkSync(link))?.[1]) || undefined
  } catch {
    return undefined
  }
}

/** The same of a descriptor, which may have been opened by another name: a mount. */
function inodeBehind(link: string): number | undefined {
  try {
    const { dev, ino } = statSync(link)
    return dev === statSync('/proc/self/ns/net').dev ? ino : undefined
  } catch {
    return undefined
  }
}

/** A descriptor of the namespace behind `link`, if it is that one and may be opened; else -1. */
function pin(link: string, inode: number): number {
  try {
    const fd = openSync(link, 'r')
    if (fstatSync(fd).ino === inode) return fd
    closeSync(fd)
  } catch {
    // It lives as long as the process does; its number may come back later.
  }
  return -1
}

export class MachineNamespaces implements NetFinder {
  readonly #kernel: Kernel
  /** By inode: the names of those that stand for a namespace of the kernel. */
  readonly #bases = new Map<number, string>()
  readonly #foreign = new Map<number, Foreign>()
  #isLooking = false

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /**
   * The namespace that a connection asks for by NAME or NAME/BASE/INODE; `pid` is the process.
   * @throws NetlinkError ENOENT when there is none of that name
   */
  find(text: string, pid: number): Net {
    const [name = '', base, inode] = text.split('/')
    if (base === undefined || inode === undefined) return this.#named(name)
    this.#bases.set(Number(base), name)
    return this.#byInode(Number(inode), `/proc/${pid}/ns/net`)
  }
  #named(name: string): Net {
    return name === '' ? this.#kernel.initNet : this.#kernel.net(name)
  }
  #byInode(inode: number, link: string): Net {
    const name = this.#bases.get(inode)
    if (name !== undefined) return this.#named(name)
    const known = this.#foreign.get(inode)
    if (known) return known.net
    this.collect()
    const net = this.#kernel.addNet()
    this.#foreign.set(inode, { net, fd: pin(link, inode) })
    return net
  }

  /** A process is wherever the machine says; before any is behind the shim, nobody is found. */
  byPid(sender: number, pid: number): Net | undefined {
    if (this.#bases.size === 0) return undefined
    // As the sender sees it, who may be in a pid namespace of its own.
    for (const link of [`/proc/${sender}/root/proc/${pid}/ns/net`, `/proc/${pid}/ns/net`]) {
      const inode = inodeAt(link)
      if (inode !== undefined) return this.#byInode(inode, link)
    }
    return undefined
  }
  byFd(sender: number, fd: number): Net | undefined {
    if (this.#bases.size === 0) return undefined
    const link = `/proc/${sender}/fd/${fd}`
    const inode = inodeBehind(link)
    return inode === undefined ? undefined : this.#byInode(inode, link)
  }

  /** Looks soon whether some are gone. */
  collectSoon(): void {
    if (this.#isLooking || this.#foreign.size === 0) return
    this.#isLooking = true
    setImmediate(() => {
      this.#isLooking = false
      this.collect()
    })
  }
  /** Gives up those that no process is in and no mount names. */
  collect(): void {
    if (this.#foreign.size === 0) return
    const held = heldNamespaces()
    for (const [inode, { net, fd }] of this.#foreign) {
      if (held.has(inode)) continue
      this.#foreign.delete(inode)
      if (fd >= 0) closeSync(fd)
      this.#kernel.deleteNet(net)
    }
  }
  close(): void {
    for (const { fd } of this.#foreign.values()) if (fd >= 0) closeSync(fd)
    this.#foreign.clear()
  }
}

/** Inodes of all network namespaces that a process is in, or that are mounted somewhere. */
function heldNamespaces(): Set<number> {
  const held = new Set<number>()
  const mounts = new Set<string>()
  for (const pid of readdirSync('/proc')) {
    if (!NUMBER.test(pid)) continue
    const inode = inodeAt(`/proc/${pid}/ns/net`)
    if (inode !== undefined) held.add(inode)
    try {
      const mount = readlinkSync(`/proc/${pid}/ns/mnt`)
      if (mounts.has(mount)) continue
      mounts.add(mount)
      const text = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      for (const [, number] of text.matchAll(/ net:\[(\d+)\] /g)) held.add(Number(number))
    } catch {
      // It has ended, or is another user's.
    }
  }
  return held
}
