/** How a command ends: its exit code, and the error of a command line that makes no sense. */

/** Exit codes, as docs/cli.md lists them. */
export const EXIT = {
  ok: 0,
  /** The kernel refused: an errno. */
  refused: 1,
  /** The command line, or a value in it, is wrong; nothing was sent. */
  usage: 2,
  /** A bounded watch lost events. */
  lost: 3,
  /** There is no way to the kernel. */
  unreachable: 4,
  timeout: 5,
  /** A fault of nlkit's own. */
  bug: 70,
  /** Ctrl-C. */
  interrupted: 130,
} as const

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'NLKIT_USAGE'
  /** What to do instead, one sentence. */
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** Why a program is not run, as a shell's exit code says it. */
export class NotRun extends Error {
  override readonly name = 'NotRun'
  readonly code = 'NLKIT_NOT_RUN'
  readonly hint: string | undefined
  /** 127: there is none; 126: it cannot be run. */
  readonly exit: 126 | 127

  constructor(exit: 126 | 127, message: string, hint?: string) {
    super(message)
    this.exit = exit
    this.hint = hint
  }
}
