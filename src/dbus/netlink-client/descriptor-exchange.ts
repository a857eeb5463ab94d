/** Exchanges descriptors for a bus's tokens, and tokens for descriptors, beside a netlink socket. */
import { errnoName } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'
import { loadAddon } from '../../transport/addon.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import { readinessOf, type Watch } from '../../transport/readiness.ts'
import { AF_UNIX, abstractAddress, SOCK_STREAM } from '../../transport/unix-address.ts'
import {
  DEPOSIT,
  decodeExchange,
  EXCHANGE_BYTES,
  encodeExchange,
  REDEEM,
  WITHDRAW,
} from '../bus/token-exchange.ts'

/** Words of receiveControl's array before the descriptors. */
const CONTROL_COUNT = 4
const CONTROL_FDS = 5
const EAGAIN = -11

interface Answer {
  readonly token: bigint
  readonly descriptor: number | undefined
}

export class DescriptorExchange {
  readonly #native: NativeSocket
  readonly #watch: Watch
  readonly #fd: number
  /** Requests go one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /**
   * Connects to the socket of that abstract name.
   * @throws NetlinkError the errno of socket(2) or connect(2); NETLINK_NO_NATIVE
   */
  constructor(name: string) {
    this.#native = loadAddon()
    this.#fd = this.#native.socket(AF_UNIX, SOCK_STREAM, 0)
    if (this.#fd < 0) throw new NetlinkError(errnoName(this.#fd), { syscall: 'socket' })
    const refused = this.#native.connect(this.#fd, abstractAddress(name))
    if (refused < 0) {
      this.#native.close(this.#fd)
      throw new NetlinkError(errnoName(refused), { syscall: 'connect' })
    }
    this.#watch = readinessOf(this.#native).watch(this.#fd)
  }

  /** A token for `descriptor`, which stays the caller's. @throws NetlinkError EMFILE, NETLINK_CLOSED */
  async deposit(descriptor: number): Promise<bigint> {
    return (await this.#ask(DEPOSIT, 0n, descriptor)).token
  }

  /** The descriptor of a token, the caller's to close. @throws NetlinkError EBADF, NETLINK_CLOSED */
  async redeem(token: bigint): Promise<number> {
    const { descriptor } = await this.#ask(REDEEM, token)
    if (descriptor === undefined) throw new NetlinkError('EMFILE', { syscall: 'recvmsg' })
    return this.#native.release(descriptor)
  }

  /** What was deposited is not needed any more. @throws NetlinkError EBADF, NETLINK_CLOSED */
  async withdraw(token: bigint): Promise<void> {
    await this.#ask(WITHDRAW, token)
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch.close()
    this.#native.close(this.#fd)
  }

  #ask(word: number, token: bigint, descriptor?: number): Promise<Answer> {
    const answer = this.#last.then(() => this.#exchange(word, token, descriptor))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #exchange(word: number, token: bigint, descriptor?: number): Promise<Answer> {
    if (this.#isClosed) throw ended()
    const fds = descriptor === undefined ? undefined : Int32Array.of(descriptor)
    const sent = this.#native.sendControl(this.#fd, [encodeExchange(word, token)], fds)
    if (sent < 0) throw new NetlinkError(errnoName(sent), { syscall: 'sendmsg' })
    const bytes = new Uint8Array(EXCHANGE_BYTES)
    const control = new Int32Array(CONTROL_FDS + 1)
    let found: number | undefined
    for (let filled = 0; filled < EXCHANGE_BYTES; ) {
      const count = this.#native.receiveControl(this.#fd, bytes.subarray(filled), control)
      if (count === EAGAIN) await this.#watch.wait()
      else if (count <= 0) throw ended()
      else {
        filled += count
        if (control[CONTROL_COUNT]! > 0) found = control[CONTROL_FDS]!
      }
    }
    const answer = decodeExchange(bytes)
    if (answer.word < 0) throw new NetlinkError(errnoName(answer.word))
    return { token: answer.token, descriptor: found }
  }
}

function ended(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', {
    message: 'the bus exchanges no descriptors any more',
  })
}
