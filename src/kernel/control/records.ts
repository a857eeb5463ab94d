/** Recordings, each as long as the socket that asked for it: nobody forgets one. */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import type { Kernel } from '../kernel.ts'
import { NETLINK_URELEASE } from '../netlink/notify.ts'
import type { ControlHost, Recording } from './control.ts'

export class Records {
  readonly #host: ControlHost
  /** By the asking socket's cookie. */
  readonly #running = new Map<number, Recording>()

  constructor(kernel: Kernel, host: ControlHost) {
    this.#host = host
    kernel.netlink.notifier.register({
      name: 'nlkit_record',
      call: (event, { cookie }) => {
        if (event === NETLINK_URELEASE) this.#close(cookie)
        return 0
      },
    })
  }
  /** @throws NetlinkError EBUSY when it has one already; the errno of open(2), with its sentence. */
  start(cookie: number, file: string): void {
    if (this.#running.has(cookie)) throw new NetlinkError('EBUSY')
    try {
      this.#running.set(cookie, this.#host.record(file))
    } catch (error) {
      if (!isNetlinkError(error)) throw error
      throw new NetlinkError(error.code, `${file} cannot be written`)
    }
  }
  /** @throws NetlinkError ENOENT when it has none; EIO when it ended before, such as a full disk. */
  end(cookie: number): { count: bigint } {
    const recording = this.#running.get(cookie)
    if (!recording) throw new NetlinkError('ENOENT')
    this.#close(cookie)
    if (recording.failure) throw new NetlinkError('EIO', recording.failure.message)
    return { count: BigInt(recording.count) }
  }
  #close(cookie: number): void {
    this.#running.get(cookie)?.close()
    this.#running.delete(cookie)
  }
}
