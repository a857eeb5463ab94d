/** `nlkit tour`: what nlkit does, shown and checked. */
import { type Call, type Command, verb } from '../command.ts'
import { EXIT } from '../exit.ts'
import { flag } from '../parameter.ts'
import { playScenes } from './play.ts'
import { loadScenes } from './scenes.ts'
import { liveName, NLKIT, openSides } from './sides.ts'

const NEXT = [
  ['node dist/cli/main.js link list', 'the links of this machine; --help says what else'],
  ['node dist/cli/main.js -br monitor', 'its changes, as they happen'],
  ['examples/list-links.ts', 'the library, from here on'],
] as const

/** Stays until Ctrl-C, with a kernel of nlkit's whose changes are printed. */
async function stay(call: Call): Promise<void> {
  const { out, signal } = call
  out.lines([
    `${NLKIT} stays; its changes follow here, and Ctrl-C ends it.`,
    '`nlkit kernel start` serves one to other programs.',
  ])
  const sides = await openSides()
  const nl = sides.find(({ name }) => name === NLKIT)!.nl!
  try {
    for await (const event of nl.watch(['link', 'addr', 'route'], { signal })) out.json(event)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const side of sides) await side.close()
  }
}

export const command: Command = {
  only: verb({
    summary: 'what nlkit does, shown and checked',
    examples: ['nlkit tour --once'],
    parameters: { once: flag('ends after the last scene') },
    async run(call) {
      const { out } = call
      out.lines([`nlkit tour: ${liveName()} beside ${NLKIT}`, ''])
      const scenes = await loadScenes()
      const held = await playScenes(call, scenes)
      out.line(`${held} of ${scenes.length} scenes held. Next:`)
      const width = Math.max(...NEXT.map(([what]) => what.length))
      out.lines(NEXT.map(([what, about]) => `  ${what.padEnd(width)}  ${about}`))
      if (!call.given.once) await stay(call)
      return held === scenes.length ? EXIT.ok : EXIT.refused
    },
  }),
}
