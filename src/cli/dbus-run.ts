/** `nlkit dbus run`: a program with a session bus of its own, which ends with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verb } from './command.ts'
import { sessionSetup } from './dbus-setup.ts'
import { UsageError } from './exit.ts'
import { runChild } from './run-child.ts'
import { checkProgram, findProgram } from './run-program.ts'
import { SERVED } from './session.ts'

export const run = verb({
  summary: 'runs a program on a session bus of its own',
  examples: [
    'nlkit dbus run -- busctl --user list',
    'nlkit dbus run -- gdbus monitor --session -d org.freedesktop.DBus',
  ],
  behind: 'PROGRAM [ARGUMENT…]',
  parameters: {},
  async run(call) {
    const [name] = call.behind
    if (name === undefined)
      throw new UsageError(
        'no program is given',
        'it stands behind two dashes: nlkit dbus run -- busctl list',
      )
    const file = findProgram(name, call.env.PATH)
    checkProgram(file)
    const { startBus } = await import('../dbus/gateway/start.ts')
    const { startDaemon } = await import('../daemon/daemon.ts')
    const folder = mkdtempSync(join(tmpdir(), 'nlkit-dbus-'))
    try {
      const bus = await startBus({
        ...sessionSetup([`unix:path=${join(folder, 'bus')}`]),
        log: (line) => call.err.line(line),
      })
      try {
        const door = await startDaemon({ kernel: bus.kernel, path: join(folder, 'kernel.sock') })
        const env = {
          ...call.env,
          DBUS_SESSION_BUS_ADDRESS: bus.address,
          NLKIT_KERNEL: call.env.NLKIT_KERNEL ?? `${SERVED}${door.path}`,
        }
        try {
          return await runChild({ file, argv: call.behind, env })
        } finally {
          bus.close()
          await door.close()
        }
      } finally {
        bus.close()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
})
