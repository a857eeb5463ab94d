/** Files of a served kernel, as programs behind the preload shim open and write them. */
import { isNetlinkError, NetlinkError } from '../errors.ts'
import { type Credentials, nsCapable } from '../kernel/credentials.ts'
import { fileMode, type KernelFile, kernelFile } from '../kernel/files/files.ts'
import type { Server } from './server.ts'

const EIO = -5
const WANTS_READ = 4
const WANTS_WRITE = 2
/** Bits of a mode that are the owner's, and everybody's. */
const OWNER = 6
const OTHERS = 0

/** Who asks. */
interface Asker {
  readonly netns: string
  readonly current: Credentials
}

function failure(error: unknown): number {
  if (isNetlinkError(error)) return error.errno ?? EIO
  throw error
}

export class ShimFiles {
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
  }

  /**
   * open(2), and what there is to read: in `room`.
   * @returns st_mode, or a negative errno; how many bytes there are
   */
  open(
    asker: Asker,
    path: string,
    wanted: number,
    room: Uint8Array,
  ): { mode: number; length: number } {
    try {
      const file = this.#find(asker, path, wanted)
      const mode = fileMode(file)
      if (file.names && wanted & WANTS_WRITE) throw new NetlinkError('EISDIR')
      if ((wanted & WANTS_READ) === 0) return { mode, length: 0 }
      const text = file.names ? file.names.map((name) => `${name}\0`).join('') : file.read!()
      const { written } = new TextEncoder().encodeInto(text, room)
      return { mode, length: written }
    } catch (error) {
      return { mode: failure(error), length: 0 }
    }
  }
  /** write(2). @returns how many bytes were taken, or a negative errno */
  write(asker: Asker, path: string, bytes: Uint8Array): number {
    try {
      const file = this.#find(asker, path, WANTS_WRITE)
      if (!file.write) throw new NetlinkError('EACCES')
      file.write(new TextDecoder().decode(bytes))
      return bytes.length
    } catch (error) {
      return failure(error)
    }
  }

  /** net_ctl_permissions(): who may change the network is its files' owner. */
  #find({ netns, current }: Asker, path: string, wanted: number): KernelFile {
    const { kernel, namespaces } = this.#server
    const net = namespaces.find(netns, current.pid)
    const file = kernelFile(kernel.rtnl.stackOf(net), path)
    if (!file) throw new NetlinkError('ENOENT')
    const bits = nsCapable(current, net.userNs, 'CAP_NET_ADMIN') ? OWNER : OTHERS
    if (((file.mode >> bits) & wanted) !== wanted) throw new NetlinkError('EACCES')
    return file
  }
}
