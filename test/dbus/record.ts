/** `npm run differential -- dbus --golden`: records what dbus-daemon answers, for test/golden/dbus-daemon.txt. */
import { writeFileSync } from 'node:fs'
import { type Side, startDaemon } from './daemons.ts'
import { GOLDEN_STEPS, SERVICES } from './golden-steps.ts'
import { transcript } from './script.ts'

export const GOLDEN_FILE = new URL('../../../test/golden/dbus-daemon.txt', import.meta.url)

/** What `side` answers to all that is asked, a line each. */
export async function goldenTranscript(side: Side): Promise<string[]> {
  const daemon = await startDaemon(side, { services: SERVICES })
  try {
    return await transcript(daemon, GOLDEN_STEPS)
  } finally {
    await daemon.stop()
  }
}

export async function record(): Promise<void> {
  writeFileSync(GOLDEN_FILE, `${(await goldenTranscript('dbus-daemon')).join('\n')}\n`)
}
