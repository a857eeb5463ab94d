/** What a bus's configuration says (dbus-daemon(1), "CONFIGURATION FILE"), as plain values. */
import type { Limits } from '../bus/limits.ts'
import type { PolicySection } from '../policy/rule.ts'

/** A directory of .service files. */
export interface ServiceDirectory {
  readonly path: string
  /** A file's name has to be that of the service, as in the standard directories. */
  readonly strictNames: boolean
  /** For services that come while the bus runs: it is made when it is not there. */
  readonly transient: boolean
}

export interface Config {
  /** The file that was read first. */
  readonly file: string
  /** All that were read, in order, itself first. */
  readonly files: readonly string[]
  /** `session`, `system` or a name of one's own. */
  readonly type: string | undefined
  /** Whose rights the bus takes: a name or a uid. */
  readonly user: string | undefined
  readonly fork: boolean
  readonly keepUmask: boolean
  readonly syslog: boolean
  readonly allowAnonymous: boolean
  readonly pidfile: string | undefined
  /** Addresses to listen on. */
  readonly listen: readonly string[]
  /** Mechanisms of authentication; none means all. */
  readonly auth: readonly string[]
  readonly serviceDirectories: readonly ServiceDirectory[]
  /** The program that starts services as other users. */
  readonly serviceHelper: string | undefined
  readonly limits: Limits
  readonly policies: readonly PolicySection[]
  /** What was passed over, a sentence each: users that do not exist. */
  readonly warnings: readonly string[]
}

/** A configuration that cannot be taken. The message begins with file and line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: 'CONFIG_INVALID' | 'CONFIG_UNREADABLE'
  readonly file: string
  /** From 1; 0 when it is about the file as a whole. */
  readonly line: number

  constructor(file: string, line: number, message: string, code?: ConfigError['code']) {
    super(line > 0 ? `${file}:${line}: ${message}` : `${file}: ${message}`)
    this.code = code ?? 'CONFIG_INVALID'
    this.file = file
    this.line = line
  }
}
