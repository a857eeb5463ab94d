/**
 * Sessions at a console, as documents and golden files show them.
 *
 *   $ nlkit link set veht0 --up
 *   error: RTM_NEWLINK: there is no link named "veht0" (ENODEV)
 *     did you mean veth0?
 *   [exit 1]
 */
import { type Clock, Kernel } from 'nlkit/kernel'
import { nlkit } from './cli.ts'

/** A clock that stands still: what the kernel would do later it does not. */
const stopped: Clock = { monotonic: () => 5000, realtime: () => 0, setTimer: () => () => undefined }

/** Link-layer addresses that a kernel drew by lot; behind a bridge's priority zeros are left out. */
const DRAWN =
  /\b(?!02:00:00|00:00:00|ff:ff:ff|33:33)(?:[\da-f]{2}:){5}[\da-f]{2}\b|(?<=[\da-f]{4}\.)(?!0:0:0)(?:[\da-f]{1,2}:){5}[\da-f]{1,2}\b/g

function padded(address: string): string {
  return address.replace(/[\da-f]+/g, (octet) => octet.padStart(2, '0'))
}

/** Cuts a line into words, with the shell's quotes. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? []
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
}

/** A kernel of nlkit's, and the sessions on it. */
export class Console {
  readonly #kernel = new Kernel({ clock: stopped })
  /** What stands for each address that was drawn: they are numbered as they appear. */
  readonly #numbered = new Map<string, string>()

  /**
   * Runs the commands of a session; returns the session as it really went. A command that ends with
   * `&` runs on beside the next ones, once it has said something; the session waits for it.
   */
  async play(session: string): Promise<string> {
    const commands = session.split('\n').filter((line) => line.startsWith('$ '))
    const running: Promise<unknown>[] = []
    let played = ''
    for (const command of commands) {
      played += `${command}\n`
      const [program, ...argv] = wordsOf(command.slice(2).replace(/ &$/, ''))
      if (program !== 'nlkit') throw new Error(`a session has commands of nlkit: ${command}`)
      let hasSpoken: () => void = () => undefined
      const spoken = new Promise<void>((resolve) => {
        hasSpoken = resolve
      })
      const onWrite = (text: string): void => {
        played += text
        hasSpoken()
      }
      const ended = nlkit(this.#kernel, argv, { onWrite }).then(({ code }) => {
        if (code !== 0) played += `[exit ${code}]\n`
      })
      running.push(ended)
      await (command.endsWith(' &') ? Promise.race([spoken, ended]) : ended)
    }
    await Promise.all(running)
    return played.replace(DRAWN, (address) => this.#number(padded(address)))
  }

  #number(address: string): string {
    const number = (this.#numbered.size + 0x101).toString(16).padStart(4, '0')
    if (!this.#numbered.has(address))
      this.#numbered.set(address, `02:00:00:00:${number.slice(0, 2)}:${number.slice(2)}`)
    return this.#numbered.get(address)!
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#kernel.close()
  }
}
