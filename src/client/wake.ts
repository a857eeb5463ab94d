/** One wait for a socket at a time, which can be taken back. */
import type { Socket } from '../transport/transport.ts'

export class Wake {
  #stop: AbortController | undefined

  /** Calls `ready` when `socket` has something, or `failed`, unless it is taken back before. */
  wait(socket: Socket, ready: () => void, failed: (error: unknown) => void): void {
    if (this.#stop) return
    const stop = new AbortController()
    this.#stop = stop
    const end = (then: () => void): void => {
      if (this.#stop !== stop) return
      this.#stop = undefined
      then()
    }
    socket.readable(stop.signal).then(
      () => end(ready),
      (error) => end(() => failed(error)),
    )
  }
  /** Nothing is waited for any more. */
  cancel(): void {
    this.#stop?.abort()
    this.#stop = undefined
  }
}
