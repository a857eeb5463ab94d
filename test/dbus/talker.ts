/** A connection to a bus that takes nothing from anybody: it sends what it is told, well-formed or not. */
import { connect, type Socket } from 'node:net'
import {
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  type MessageInit,
  messageLength,
} from 'nlkit/dbus'

const DEADLINE = 20_000
const MOST_BYTES = 2 ** 27

export class Talker {
  readonly socket: Socket
  /** What has come and has not been asked for. */
  readonly heard: DecodedMessage[] = []
  isOver = false
  serial = 0
  #bytes: Buffer = Buffer.alloc(0)
  #isTalking = false
  #wake: (() => void) | undefined

  /** `path` of its socket; a leading @ stands for an abstract one's NUL. */
  constructor(path: string) {
    this.socket = connect(path.startsWith('@') ? `\0${path.slice(1)}` : path)
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      if (this.#isTalking) this.#cut()
      this.#wake?.()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.isOver = true
      this.#wake?.()
    })
  }

  #cut(): void {
    let at = 0
    for (;;) {
      const length = messageLength(this.#bytes, at, this.#bytes.length, MOST_BYTES)
      if (length === 0 || at + length > this.#bytes.length) break
      this.heard.push(decodeMessage(Uint8Array.from(this.#bytes.subarray(at, at + length))))
      at += length
    }
    if (at > 0) this.#bytes = this.#bytes.subarray(at)
  }

  /** Waits until `find` finds something; undefined when the connection ends before. */
  async until<T>(
    find: () => T | undefined,
    what: string,
    deadline = DEADLINE,
  ): Promise<T | undefined> {
    const end = Date.now() + deadline
    for (;;) {
      const found = find()
      if (found !== undefined || this.isOver) return found
      if (Date.now() >= end) throw new Error(`${what} has not come in ${deadline} ms`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((wake) => {
        this.#wake = wake
        timer = setTimeout(wake, deadline)
      })
      clearTimeout(timer)
    }
  }

  /** Says a line before BEGIN; what is answered, without its end, or that there is none. */
  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`)
    const answer = await this.until(() => {
      const end = this.#bytes.indexOf('\r\n')
      if (end < 0) return undefined
      const said = this.#bytes.subarray(0, end).toString('latin1')
      this.#bytes = this.#bytes.subarray(end + 2)
      return said
    }, `an answer to ${line}`)
    return answer ?? '(closed)'
  }

  /** From here on it is messages. */
  begin(): void {
    this.socket.write('BEGIN\r\n')
    this.#isTalking = true
  }

  /** Authenticates as who this process is. */
  async authenticate(): Promise<void> {
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
    this.socket.write('\0')
    const answer = await this.say(`AUTH EXTERNAL ${uid}`)
    if (!answer.startsWith('OK ')) throw new Error(`AUTH is answered ${answer}`)
    this.begin()
  }

  /** Sends a message under the next serial, which it returns. */
  send(init: Omit<MessageInit, 'serial'>): number {
    const serial = ++this.serial
    this.socket.write(encodeMessage({ ...init, serial }))
    return serial
  }

  /** Waits for the answer to `serial`, which stays among what was heard. */
  answer(serial: number): Promise<DecodedMessage | undefined> {
    return this.until(
      () => this.heard.find(({ replySerial }) => replySerial === serial),
      `the answer to ${serial}`,
    )
  }

  close(): void {
    this.socket.destroy()
  }
}
