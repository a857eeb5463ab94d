/** Every family that nlkit describes, by name. Each is loaded when it is asked for. */
import type { Family } from '../schema/index.ts'

const loaders: Readonly<Record<string, () => Promise<Family>>> = {
  'rt-addr': async () => (await import('./rt-addr.ts')).rtAddr,
  'rt-link': async () => (await import('./rt-link.ts')).rtLink,
  'rt-neigh': async () => (await import('./rt-neigh.ts')).rtNeigh,
  'rt-route': async () => (await import('./rt-route.ts')).rtRoute,
  'rt-rule': async () => (await import('./rt-rule.ts')).rtRule,
  nlctrl: async () => (await import('./nlctrl.ts')).nlctrl,
  nlkit: async () => (await import('./nlkit.ts')).nlkit,
}

/** Names of the families that are described here. */
export const familyNames: readonly string[] = Object.keys(loaders)

/** The description of the family `name`; undefined where there is none. */
export async function loadFamily(name: string): Promise<Family | undefined> {
  return Object.hasOwn(loaders, name) ? loaders[name]?.() : undefined
}
