/**
 * Sessions at a console, as documents and golden files show them.
 *
 *   $ nlkit link set veht0 --up
 *   error: RTM_NEWLINK: there is no link named "veht0" (ENODEV)
 *     did you mean veth0?
 *   [exit 1]
 *
 * All commands of a session run on one kernel of nlkit's, whose random numbers are not random.
 */
import { type Clock, Kernel } from 'nlkit/kernel'
import { nlkit } from './cli.ts'

/** Numbers from 0 to below 1, always the same ones (a linear congruential generator). */
function sameNumbers(): () => number {
  let state = 1
  return () => {
    state = (state * 48271) % 0x7fffffff
    return state / 0x7fffffff
  }
}

/** A clock that stands still: what the kernel would do later it does not. */
const stopped: Clock = { monotonic: () => 5000, realtime: () => 0, setTimer: () => () => undefined }

/** Cuts a line into words, with the shell's quotes. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? []
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
}

/** Runs the commands of a session; returns the session as it really went. */
export async function play(session: string): Promise<string> {
  const commands = session.split('\n').filter((line) => line.startsWith('$ '))
  await using kernel = new Kernel({ random: sameNumbers(), clock: stopped })
  let played = ''
  for (const command of commands) {
    const [program, ...argv] = wordsOf(command.slice(2))
    if (program !== 'nlkit') throw new Error(`a session has commands of nlkit: ${command}`)
    const { code, output } = await nlkit(kernel, argv)
    played += `${command}\n${output}`
    if (code !== 0) played += `[exit ${code}]\n`
  }
  return played
}
