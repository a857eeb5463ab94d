/** A recording in a file: written soon, and whole to its last block whatever becomes of the disk. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { recordKernel } from '../capture/record.ts'
import { NetlinkError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'

/** Bytes that are written at once, at the latest. */
const CHUNK = 64 * 1024

export interface Recording {
  /** Datagrams so far. */
  readonly count: number
  /** Why it ended before it was closed, such as a full disk. */
  readonly failure: Error | undefined
  /** Writes what is not written yet. Harmless when repeated. */
  close(): void
}

/**
 * Records `kernel` into the file at `path`, which is made anew. When the disk is full the recording
 * ends with its last whole block, `onFailure` is told, and the kernel goes on.
 * @throws NetlinkError the errno of open(2).
 */
export function recordToFile(
  kernel: Kernel,
  path: string,
  onFailure: (error: Error) => void,
): Recording {
  const file = new RecordFile(path, onFailure)
  const stop = recordKernel(kernel, (block) => file.write(block))
  file.onEnd = stop
  return file
}

class RecordFile implements Recording {
  failure: Error | undefined
  /** Stops what writes here. */
  onEnd: () => void = () => {}
  readonly #onFailure: (error: Error) => void
  #fd: number
  #blocks: Uint8Array[] = []
  #size = 0
  #written = 0
  #count = -1

  constructor(path: string, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure
    try {
      this.#fd = openSync(path, 'w', 0o600)
    } catch (error) {
      const { code = 'EIO' } = error as NodeJS.ErrnoException
      throw new NetlinkError(code, { syscall: `open ${path}` })
    }
  }
  get count(): number {
    return Math.max(0, this.#count)
  }
  write(block: Uint8Array): void {
    if (this.#fd < 0) return
    this.#count++
    this.#size += block.length
    if (this.#blocks.push(block) === 1) setImmediate(() => this.#flush())
    if (this.#size >= CHUNK) this.#flush()
  }
  #flush(): void {
    if (this.#fd < 0 || this.#blocks.length === 0) return
    const bytes = Buffer.concat(this.#blocks)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
      this.#written += bytes.length
      this.#blocks = []
      this.#size = 0
    } catch (error) {
      this.#fail(error as Error)
    }
  }
  #fail(error: Error): void {
    this.failure = error
    this.onEnd()
    this.#truncate()
    closeSync(this.#fd)
    this.#fd = -1
    this.#blocks = []
    this.#onFailure(error)
  }
  /** Takes away what was written of a block that is not whole. */
  #truncate(): void {
    if (!fstatSync(this.#fd).isFile()) return
    const { size } = fstatSync(this.#fd)
    let whole = this.#written
    for (const block of this.#blocks) {
      if (whole + block.length > size) break
      whole += block.length
    }
    ftruncateSync(this.#fd, whole)
  }
  close(): void {
    if (this.#fd < 0) return
    this.onEnd()
    this.#flush()
    if (this.#fd < 0) return
    closeSync(this.#fd)
    this.#fd = -1
  }
}
