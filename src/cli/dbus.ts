/** `nlkit dbus`: a message bus that unmodified D-Bus programs use, and a client of any. */
import type { Command } from './command.ts'
import { callMethod, emitSignal, getProperty, setProperty } from './dbus-call.ts'
import { introspect, tree } from './dbus-introspect.ts'
import { list } from './dbus-list.ts'
import { capture, monitor } from './dbus-monitor.ts'
import { run } from './dbus-run.ts'
import { start } from './dbus-start.ts'

export const command: Command = {
  verbs: {
    start,
    run,
    list,
    tree,
    introspect,
    call: callMethod,
    get: getProperty,
    set: setProperty,
    emit: emitSignal,
    monitor,
    capture,
  },
}
