/** `nlkit dbus`: a message bus that unmodified D-Bus programs use. */
import type { Command } from './command.ts'
import { run } from './dbus-run.ts'
import { start } from './dbus-start.ts'

export const command: Command = { verbs: { start, run } }
