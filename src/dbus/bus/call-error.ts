/** A call's error, as the caller sees it. */

/** What a bus or a service answered instead of a result. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code = 'DBUS_CALL'
  /** Such as `org.freedesktop.DBus.Error.UnknownMethod`. */
  readonly errorName: string

  constructor(errorName: string, message: string) {
    super(message)
    this.errorName = errorName
  }
}
