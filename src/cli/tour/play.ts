/** Plays scenes one after the other, each on kernels of its own, and tells which of them held. */
import type { Call } from '../command.ts'
import { type Scene, SceneFailure, Stage } from './scene.ts'
import { openSides } from './sides.ts'

/** Longest that a scene may take, milliseconds. */
const SCENE_TIME = 20_000

function complaint(error: unknown, isLate: boolean): string {
  if (error instanceof SceneFailure) return error.message
  if (isLate) return `expected its end within ${SCENE_TIME / 1000} s`
  return `expected no error, got ${error instanceof Error ? error.stack : error}`
}

type Audience = Pick<Call, 'out' | 'signal'>

async function play({ out, signal }: Audience, scene: Scene): Promise<boolean> {
  out.lines([out.style('bold', `${scene.number}  ${scene.title}`), ''])
  const sides = await openSides()
  const time = AbortSignal.timeout(SCENE_TIME)
  try {
    await scene.run(new Stage(out, sides, AbortSignal.any([signal, time])))
    return true
  } catch (error) {
    if (signal.aborted) throw error
    out.line(`  ${out.style('red', '✗')} ${complaint(error, time.aborted)}`)
    return false
  } finally {
    for (const side of sides) await side.close()
    out.line('')
  }
}

/** Resolves with how many held; rejects when it was interrupted. */
export async function playScenes(audience: Audience, scenes: readonly Scene[]): Promise<number> {
  let held = 0
  for (const scene of scenes) if (await play(audience, scene)) held++
  return held
}
