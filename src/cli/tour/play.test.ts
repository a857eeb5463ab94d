/** What becomes of scenes: those that hold, those that do not, those that break. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Output } from '../output.ts'
import { playScenes } from './play.ts'
import type { Scene, Stage } from './scene.ts'

function scene(title: string, run: (stage: Stage) => void): Scene {
  return { number: '9', title, run: async (stage) => run(stage) }
}

test('a scene that does not hold says what it expected, and the next one is played', async () => {
  let text = ''
  const out = new Output({
    write: (part) => {
      text += part
    },
  })
  const scenes = [
    scene('holds', (stage) => {
      stage.equal('two', 1 + 1, 2)
      stage.held('two')
    }),
    scene('differs', (stage) => stage.equal('two', 3, 2)),
    scene('differs further on', (stage) => stage.equalLists('three', [1, 2, 3], [1, 2, 4])),
    scene('breaks', () => {
      throw new TypeError('broken')
    }),
  ]
  assert.equal(await playScenes({ out, signal: new AbortController().signal }, scenes), 1)
  assert.match(text, /^ {2}✓ two$/m)
  assert.match(text, /^ {2}✗ two: expected 2, got 3$/m)
  assert.match(text, /^ {2}✗ three, number 3: expected 4, got 3$/m)
  assert.match(text, /^ {2}✗ expected no error, got TypeError: broken$/m)
})

test('an interrupted scene ends them all', async () => {
  const interrupt = new AbortController()
  const out = new Output({ write: () => undefined })
  const waits: Scene = {
    number: '9',
    title: 'waits',
    run: async ({ signal }) => {
      interrupt.abort(new Error('enough'))
      signal.throwIfAborted()
    },
  }
  await assert.rejects(playScenes({ out, signal: interrupt.signal }, [waits]), /enough/)
})
