/** A configuration that a bus can run by: its file, and the policy that it makes. */
import type { Policy } from '../bus/policy.ts'
import { policyOf } from '../policy/policy.ts'
import type { Config } from './config.ts'
import { systemIdentities } from './identities.ts'
import { loadBusConfig } from './load.ts'

/** Where the reference keeps the configurations of the two standard buses. */
const STANDARD = {
  session: '/usr/share/dbus-1/session.conf',
  system: '/usr/share/dbus-1/system.conf',
} as const

export interface Configuration extends Config {
  readonly policy: Policy
}

/** A file, or the name of a standard bus. */
export type ConfigurationSource =
  | { readonly file: string }
  | { readonly session: true }
  | { readonly system: true }

/**
 * Reads a configuration, for a bus that runs as this process's user, or as the one whom it names.
 * @throws ConfigError
 */
export function loadConfiguration(source: ConfigurationSource): Configuration {
  const identities = systemIdentities()
  const config = loadBusConfig(fileOf(source), identities)
  const own = process.getuid?.()
  const busUid = config.user === undefined ? own : (identities.uidOf(config.user) ?? own)
  return { ...config, policy: policyOf(config.policies, identities, busUid) }
}

function fileOf(source: ConfigurationSource): string {
  if ('file' in source) return source.file
  return 'session' in source ? STANDARD.session : STANDARD.system
}
