/**
 * The scenes of the tour, in their order. Numbers are the scenes' own and are never given again:
 * 0 is what everything stands on, 1 to 8 are for what is built upon it.
 */
import type { Scene } from './scene.ts'

/** Loads the scenes. */
export async function loadScenes(): Promise<readonly Scene[]> {
  const modules = await Promise.all([
    import('./scene-0-1-links.ts'),
    import('./scene-0-2-changes.ts'),
    import('./scene-0-3-refusals.ts'),
    import('./scene-1-processes.ts'),
    import('./scene-2-kernel-side.ts'),
    import('./scene-3-modules.ts'),
    import('./scene-4-connector.ts'),
    import('./scene-5-generic.ts'),
    import('./scene-6-routes.ts'),
    import('./scene-7-dbus.ts'),
  ])
  return modules.map(({ scene }) => scene)
}
